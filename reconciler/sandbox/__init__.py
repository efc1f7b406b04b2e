"""An embedded server that plays the three vendors, for trials and tests."""
