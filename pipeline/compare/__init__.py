"""Methods of inversion side by side: a row each, the whole run, the report."""
