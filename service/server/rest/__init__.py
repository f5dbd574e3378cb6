"""The REST transport (HTTP semantics: RFC 9110, problem documents: RFC 9457)."""
