"""Encrypted connections to the world outside: every one checks certificate and name."""

from __future__ import annotations

import ssl


def verifying() -> ssl.SSLContext:
    """Return the settings of an outgoing connection; the certificate must be trusted and be that of the name.

    Raises nothing by itself: the connection does, with `ssl.SSLCertVerificationError`. A certificate authority of
    one's own is named by `SSL_CERT_FILE`.
    """
    return ssl.create_default_context()
