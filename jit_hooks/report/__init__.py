"""Reports as text and as JSON: strings only, made of a ``line.Report``."""
