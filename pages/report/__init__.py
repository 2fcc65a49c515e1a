"""The report of a city: gathered once as plain data, written as PDF and as one HTML file."""
