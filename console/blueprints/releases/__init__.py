"""Pages and API: releases, their checklist and the smoke tests that follow them."""
