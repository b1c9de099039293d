"""The launcher behind `make run`: prepares the installation and supervises its processes."""
