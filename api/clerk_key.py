"""The data centre's own key, made once for an installation, so that whoever runs the server can sign in as a clerk."""

import os
from pathlib import Path

from gis.access.keys import EVERY, add, holder
from gis.errors import NotSignedIn
from gis.store.database import connect, translated
from gis.tracing import traced_act


def clerk_key_file(home: Path) -> Path:
    """Where the key is kept, readable by the user alone."""
    return home / "clerk-key"


def clerk_key(home: Path, url: str) -> str:
    """The key: the one that is kept while it is valid in this database, else a new one in its place."""
    path = clerk_key_file(home)
    with translated(), connect(url, autocommit=True) as conn:
        kept = path.read_text("utf-8").strip() if path.is_file() else ""
        try:
            holder(conn, kept)
        except NotSignedIn:
            with traced_act(url, "keys_changed", detail={"act": "add", "department": EVERY}) as traced:
                made, kept = add(conn, EVERY)
                traced["detail"] = {"act": "add", "department": EVERY, "key": made.id}
            path.unlink(missing_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(kept + "\n")
    return kept
