"""Models of one's own: renamed, shared, deleted, and taken in from an archive."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import streamlit as st

from cavae.archive import MAX_ARCHIVE_BYTES
from cavae.checkpoint import DEFAULT_MODEL
from cavae.errors import CavaeError
from cavae.limits import NO_UPLOADS, limits
from cavae.logs import log
from cavae.registry import BOX, OWN, Entry
from cavae.standing import Standing
from cavae.ui import registry, state
from cavae.ui.widgets import plain

TOLD = "model_told"
UPLOADS = "model_uploads"
REMEMBERED = (
    "After a reload, the address of this page brings your own models back: keep it, and give it to "
    "nobody who shall not have them."
)
UNVERIFIED = (
    "It has no manifest, as an archive zipped by hand: whether its files are those of "
    "whoever trained it cannot be told."
)


def name_in_address() -> None:
    """Name one's own models in the page's address, which brings them back."""
    keys = [entry.key for entry in registry.entries() if entry.kind == OWN]
    if keys != st.query_params.get_all(registry.ADDRESS):
        st.query_params[registry.ADDRESS] = keys


def remembered() -> str:
    """How long one's own models are there, and how one comes back to them."""
    days = limits().keep_days
    until = f"{days:,} days after they were made" if days else "you delete them"
    return f"Your own models stay on this computer until {until}. {REMEMBERED}"


def tell() -> None:
    """What became of the last thing that was asked for."""
    done, text = st.session_state.pop(TOLD, (None, ""))
    if done is not None:
        show = st.success if done else st.error
        show(plain(text), icon=":material/check:" if done else ":material/error:")


def upload() -> None:
    """Where an archive is dropped; a server that takes in nothing says so."""
    allowed = limits()
    if allowed.demo:
        st.caption(NO_UPLOADS)
        return
    st.file_uploader(
        "Add a model from a ZIP archive",
        "zip",
        key=_uploader(),
        on_change=_take,
        max_upload_size=min(MAX_ARCHIVE_BYTES // 1_000_000, allowed.upload_mb),
        help="As page Models or Train gave it, or a model folder zipped by hand. It is checked "
        "before it is kept, holds no program, and only you see it.",
    )


def _uploader() -> str:
    """The key of an uploader that is empty again after each file."""
    return f"model_zip_{st.session_state.get(UPLOADS, 0)}"


def manage(entry: Entry, known: Standing | None) -> None:
    """Rename, share and delete, for a model of one's own; only delete one that cannot be read."""
    if entry.kind != OWN:
        where = "came with this app" if entry.kind == BOX else "was shared by somebody else"
        st.caption(f"It {where}: only your own models can be renamed, shared or deleted.")
        return
    if known is not None:
        _rename(entry)
        if not limits().demo:
            _share(entry, known)
    _delete(entry)


def _rename(entry: Entry) -> None:
    shared = entry.public is not None
    reason = "Stop sharing it first." if shared else None
    with st.popover("Rename", icon=":material/edit:", disabled=shared, help=reason):
        st.text_input("New name", entry.name, max_chars=64, key=_new_name(entry))
        st.button("Rename it", key="rename", on_click=_do_rename, args=(entry,), type="primary")


def _new_name(entry: Entry) -> str:
    """The key of the field for another name: each model has a field of its own."""
    return f"new_name_{entry.name}"


def _share(entry: Entry, known: Standing) -> None:
    if entry.public is not None:
        st.button(
            "Stop sharing",
            key="withdraw",
            icon=":material/lock:",
            on_click=_do_withdraw,
            args=(entry,),
        )
        return
    with st.popover("Share", icon=":material/group:"):
        st.markdown(
            f"Everybody who can open this app will see **{plain(entry.name)}**, use it and "
            "download it. You can take it back as long as you have it; copies that others made "
            "stay with them."
        )
        st.caption(_risk(known))
        st.button("Share it", key="share", on_click=_do_share, args=(entry,), type="primary")


def _risk(known: Standing) -> str:
    """What sharing may give away, in a sentence."""
    attack = known.figures.get("attack_auc")
    if attack is None:
        return (
            "How well an attacker could tell who was in the training was not measured: take it "
            "for possible."
        )
    return (
        "Of two people, one of them in the training, the strongest attack that was measured picks "
        f"that one {100 * attack:.0f} times of 100. 50 is a guess."
    )


def _delete(entry: Entry) -> None:
    with st.popover("Delete", icon=":material/delete:"):
        also = " Nobody else will find it any more either." if entry.public is not None else ""
        st.markdown(
            f"**{plain(entry.name)}** will be gone for good, and the curves of its training with "
            f"it.{also} Download it first if you may want it back."
        )
        st.button("Delete it", key="delete", on_click=_do_delete, args=(entry,), type="primary")


# --------------------------------------------------------------------------- what buttons do


@contextmanager
def _said(done: str) -> Iterator[None]:
    """Say on the page that it was done, or why not."""
    try:
        yield
    except CavaeError as error:
        _say(False, str(error))
    else:
        _say(True, done)


def _say(done: bool, text: str) -> None:
    st.session_state[TOLD] = done, text


def _take() -> None:
    """Take in what was dropped, use nothing of it unless all of it is sound."""
    if (file := st.session_state[_uploader()]) is None:
        return
    st.session_state[UPLOADS] = st.session_state.get(UPLOADS, 0) + 1
    archive = file.getvalue()
    try:
        key, unpacked = registry.registry().add(archive, file.name, state.own_keys())
    except CavaeError as error:
        log("upload", kind="model", outcome="refused", bytes=len(archive))
        _say(False, str(error))
        return
    log("upload", kind="model", outcome="read", bytes=len(archive))
    state.own(key)
    st.session_state[state.Key.SHOWN_MODEL] = str(unpacked.folder)
    checked = "Every file is as it was packed." if unpacked.verified else UNVERIFIED
    _say(True, f"{unpacked.folder.name} was added. {checked}")


def _do_rename(entry: Entry) -> None:
    name = st.session_state[_new_name(entry)].strip()
    with _said(f"{entry.name} is called {name} now."):
        folder = registry.registry().rename(entry.key, name, state.own_keys())
        _replace(entry, str(folder))


def _do_share(entry: Entry) -> None:
    with _said(f"{entry.name} is shared with everybody who can open this app."):
        registry.registry().share(entry.key)


def _do_withdraw(entry: Entry) -> None:
    with _said(f"{entry.name} is yours alone again."):
        registry.registry().withdraw(entry.key)


def _do_delete(entry: Entry) -> None:
    with _said(f"{entry.name} was deleted."):
        registry.registry().delete(entry.key)
        _replace(entry, DEFAULT_MODEL)
        st.session_state.pop(state.Key.SHOWN_MODEL, None)


def _replace(entry: Entry, address: str) -> None:
    """Whatever shows the model at its old place shows another one, or the same at its new."""
    old = registry.address(entry)
    for key in (state.Key.MODEL, state.Key.SHOWN_MODEL):
        if st.session_state.get(key) == old:
            st.session_state[key] = address
