"""Pages of the platform's operator: the region's health, centres, projects, policy, audit, and what-if."""
