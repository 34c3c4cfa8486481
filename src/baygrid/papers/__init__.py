"""Papers for people: invoices, settlements, claims and credit notes as PDF and CSV, in four languages."""
