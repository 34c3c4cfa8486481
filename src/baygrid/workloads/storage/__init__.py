"""Files of any size on this machine, in object storage, behind a web server: listed, and read in pieces."""
