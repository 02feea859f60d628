"""People, partners, projects, followers and schedule facts."""
