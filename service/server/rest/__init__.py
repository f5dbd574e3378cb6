"""The REST transport: POST /retarget and what goes with it (RFC 9110 semantics, RFC 9457 problems)."""
