"""SailPoint Identity Security Cloud, played from its documentation."""
