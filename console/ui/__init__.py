"""What people see: frame, navigation, formats, charts, markup, downloads."""
