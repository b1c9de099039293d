"""Tables, a module per subject. Only services and migrations touch them."""

from __future__ import annotations

from console.core.discovery import import_submodules
from console.core.revisions import watch
from console.models.base import Base

import_submodules(__name__, __path__)
watch(Base.metadata)
