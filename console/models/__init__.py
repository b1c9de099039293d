"""Tables, a module per subject. Only services and migrations touch them."""

from __future__ import annotations

from console.core.discovery import import_submodules

import_submodules(__name__, __path__)
