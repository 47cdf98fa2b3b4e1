"""A visitor without a browser: speaks Streamlit's protocol with a running app, and draws nothing.

Everything that a browser would be sent comes, and is kept in `heard` where that is asked for.
"""

from __future__ import annotations

import asyncio
import json
import urllib.request
from collections.abc import AsyncIterator, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from urllib.parse import urlsplit

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ClientState_pb2 import ClientState
from streamlit.proto.Common_pb2 import FileURLs
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from streamlit.proto.WidgetStates_pb2 import WidgetState
from websockets.asyncio.client import ClientConnection, connect

ENDED = (ForwardMsg.FINISHED_SUCCESSFULLY, ForwardMsg.FINISHED_FRAGMENT_RUN_SUCCESSFULLY)
KINDS = ("button", "download_button", "bidi_component", "file_uploader")
LARGEST = 2**28  # bytes of a message
PATIENCE = 60.0  # seconds
T = TypeVar("T")


class Visitor:
    """One tab: its pages, what stands on the present one, and what was chosen there."""

    def __init__(self, url: str, connection: ClientConnection, *, remember: bool = False) -> None:
        self.url, self._connection = url, connection
        self.heard: list[bytes] | None = [] if remember else None
        self.faults: list[str] = []
        self._pages: dict[str, str] = {}
        self._page, self._query, self._session = "", "", ""
        self._elements: dict[str, tuple[Any, str]] = {}
        self._chosen: dict[str, WidgetState] = {}
        self._cached: dict[str, ForwardMsg] = {}

    # ------------------------------------------------------------------ what a person does

    async def look(self) -> None:
        """Open the first page."""
        await self._run()

    async def follow(self, path: str) -> None:
        """Go to a page by the menu: follow("explore")."""
        self._page = self._pages[path]
        self._elements, self._chosen, self._query = {}, {}, ""
        await self._run()

    async def press(self, key: str) -> None:
        """Press the button of that key."""
        element, fragment = self.find(key)
        await self._run(WidgetState(id=element.id, trigger_value=True), fragment)

    async def tell(self, key: str, value: dict[str, Any]) -> None:
        """Have the component of that key say something."""
        element, fragment = self.find(key)
        said = WidgetState(id=element.id, json_value=json.dumps(value))
        self._chosen[element.id] = said
        await self._run(said, fragment)

    async def download(self, key: str) -> bytes:
        """Press the download button of that key; the file."""
        return await self.fetch(await self.ask_for(key))

    async def ask_for(self, key: str) -> str:
        """Have the file of that download button made; where it can be fetched."""
        element, _ = self.find(key)
        if not element.deferred_file_id:
            return element.url
        asked = BackMsg()
        asked.backend_operation_request.request_id = key
        asked.backend_operation_request.session_id = self._session
        asked.backend_operation_request.deferred_file.file_id = element.deferred_file_id
        await self._connection.send(asked.SerializeToString())
        async for message in self._messages():
            if message.WhichOneof("type") == "backend_operation_response":
                answer = message.backend_operation_response
                if answer.error_msg:
                    raise RuntimeError(answer.error_msg)
                return answer.deferred_file.url
        raise ConnectionError

    async def fetch(self, path: str) -> bytes:
        """Get a file from the server."""
        data = await asyncio.to_thread(lambda: urllib.request.urlopen(self.url + path).read())
        if self.heard is not None:
            self.heard.append(data)
        return data

    async def upload(self, key: str, name: str, data: bytes) -> None:
        """Drop a file on the uploader of that key."""
        element, fragment = self.find(key)
        place = await self._place_for(name)
        await asyncio.to_thread(self._put, place.upload_url, name, data)
        said = WidgetState(id=element.id)
        file = said.file_uploader_state_value.uploaded_file_info.add()
        file.file_id, file.name, file.size = place.file_id, name, len(data)
        file.file_urls.CopyFrom(place)
        self._chosen[element.id] = said
        await self._run(said, fragment)

    def find(self, key: str) -> tuple[Any, str]:
        """The element of that key, or of that label, and the fragment that it is in."""
        for name, found in self._elements.items():
            if name.endswith(f"-{key}") or getattr(found[0], "label", None) == key:
                return found
        raise KeyError(f"{key} is not among {sorted(self._elements)}")

    # ------------------------------------------------------------------ the protocol

    async def _run(self, said: WidgetState | None = None, fragment: str = "") -> None:
        """Have the page run and take in all of it."""
        state = ClientState(
            query_string=self._query,
            page_script_hash=self._page,
            fragment_id=fragment,
            cached_message_hashes=list(self._cached),
        )
        state.context_info.timezone, state.context_info.locale = "UTC", "en"
        state.context_info.url = self.url
        chosen = self._chosen | ({said.id: said} if said else {})
        state.widget_states.widgets.extend(chosen.values())
        asked = BackMsg()
        asked.rerun_script.CopyFrom(state)
        await self._connection.send(asked.SerializeToString())
        async for message in self._messages():
            if self._take(message):
                return

    def _take(self, message: ForwardMsg) -> bool:
        """Take in a message; whether it was the last of a run."""
        match message.WhichOneof("type"):
            case "ref_hash":
                return self._take(self._cached[message.ref_hash])
            case "new_session":
                self._session = message.new_session.initialize.session_id or self._session
                self._page = message.new_session.page_script_hash or self._page
            case "navigation":
                self._pages = {
                    one.url_pathname or "": one.page_script_hash
                    for one in message.navigation.app_pages
                }
            case "page_info_changed":
                self._query = message.page_info_changed.query_string
            case "delta":
                self._take_delta(message)
            case "script_finished":
                return message.script_finished in ENDED
        if message.metadata.cacheable:
            self._cached[message.hash] = message
        return False

    def _take_delta(self, message: ForwardMsg) -> None:
        element = message.delta.new_element
        match kind := element.WhichOneof("type"):
            case "exception":
                self.faults.append(element.exception.message)
            case "alert" if element.alert.format == element.alert.ERROR:
                self.faults.append(element.alert.body)
            case _ if kind in KINDS:
                found = getattr(element, kind)
                self._elements[found.id] = found, message.delta.fragment_id

    async def _place_for(self, name: str) -> FileURLs:
        asked = BackMsg()
        asked.file_urls_request.request_id = name
        asked.file_urls_request.session_id = self._session
        asked.file_urls_request.file_names.append(name)
        await self._connection.send(asked.SerializeToString())
        async for message in self._messages():
            if message.WhichOneof("type") == "file_urls_response":
                return message.file_urls_response.file_urls[0]
        raise ConnectionError

    def _put(self, path: str, name: str, data: bytes) -> None:
        head = f'--end\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
        request = urllib.request.Request(
            self.url + path,
            head.encode() + data + b"\r\n--end--\r\n",
            {"Content-Type": "multipart/form-data; boundary=end", **self._signed()},
            method="PUT",
        )
        urllib.request.urlopen(request).close()

    def _signed(self) -> dict[str, str]:
        """Headers that say that no other page sends it."""
        told = urllib.request.urlopen(f"{self.url}/_stcore/health").headers["Set-Cookie"]
        cookie = told.split(";")[0]
        return {"Cookie": cookie, "X-Xsrftoken": cookie.split("=", 1)[1]}

    async def _messages(self) -> AsyncIterator[ForwardMsg]:
        while True:
            data = await asyncio.wait_for(self._connection.recv(), PATIENCE)
            if self.heard is not None:
                self.heard.append(data)
            yield ForwardMsg.FromString(data)


@asynccontextmanager
async def visiting(url: str, *, remember: bool = False) -> AsyncIterator[Visitor]:
    """A visitor of the app at that address, who leaves at the end."""
    place = urlsplit(url)
    address = f"ws://{place.netloc}{place.path}/_stcore/stream"
    async with connect(
        address, subprotocols=["streamlit"], origin=f"http://{place.netloc}", max_size=LARGEST
    ) as connection:
        yield Visitor(url, connection, remember=remember)


def play(playing: Coroutine[Any, Any, T]) -> T:
    """Have it run to its end, on a thread of its own: Playwright leaves a loop in the main one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, playing).result()
