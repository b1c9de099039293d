"""WTForms per subject: widgets and labels; limits come from `console/inputs`."""
