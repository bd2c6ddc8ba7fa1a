"""Headers of answers that guard those who read them."""

#: That a browser takes an answer for nothing but what its type says, and that no page of another server embeds it
#: without being named (see `api.origins`): of every answer, tiles too.
GUARDED = (
    (b"x-content-type-options", b"nosniff"),
    (b"cross-origin-resource-policy", b"same-origin"),
)

#: Of every answer that may be a document. Scripts come from this server alone and never stand in a page; styles may,
#: since the map and the diagrams place things by them.
SECURITY = (
    (
        b"content-security-policy",
        b"default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; "
        b"font-src 'self'; worker-src 'self' blob:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
        b"form-action 'self'; frame-ancestors 'self'",
    ),
    *GUARDED,
    (b"referrer-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), microphone=(), payment=(), usb=(), geolocation=(self)"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"SAMEORIGIN"),
)
