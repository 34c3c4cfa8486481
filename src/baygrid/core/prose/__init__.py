"""Figures and names in prose of Japanese, Chinese and English: what they are, and what cannot be so."""
