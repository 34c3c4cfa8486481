"""Usage and dated tariffs to charge lines; holds; ledger postings."""
