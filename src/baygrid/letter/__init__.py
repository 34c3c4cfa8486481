"""The letter: numbered issues in four languages from one bundle of data, as web page, PDF and feed."""
