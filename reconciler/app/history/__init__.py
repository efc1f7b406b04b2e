"""What git's last revision says of the record, beside what the working tree says."""
