"""The line from a request to a report: what is judged, what is found, what it means, what mends it."""
