"""Tables of data owners as others may see them: sources, row filters, masks, governed SQL, shared files."""
