"""Real sockets on loopback: our listeners, raw servers that misbehave as wallets do, certificates."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from adapters.native.dialect import DIALECT as NATIVE
from gateway.auth.guards import Guard
from gateway.auth.keys import Key
from gateway.engine.pipeline import Answer
from gateway.engine.setup import Provider, Route, Send, Setup, Wallet
from gateway.http import Request, Response
from gateway.serve.config import Listen
from gateway.serve.listener import Listener, bind
from gateway.serve.protocol import LimitedProtocol
from gateway.vectors import demo_key

SETTINGS = NATIVE.settings()
KEY = demo_key(NATIVE, SETTINGS)


def provider(name: str = "acme", guard: Guard | None = None) -> Provider:
    return Provider(
        name=name,
        id=f"{name}-id",
        dialect=NATIVE,
        settings=SETTINGS,
        keys=(KEY,),
        guard=guard or Guard(),
        answer_within={"default": timedelta(seconds=4)},
    )


def wallet(url: str, send: Send | None = None, name: str = "main") -> Wallet:
    repeats = {"debit": "safe", "credit": "safe", "rollback": "safe"}
    return Wallet(
        name=name, dialect=NATIVE, settings=SETTINGS, url=url, keys=(KEY,), send=send or Send(), repeats=repeats
    )


def setup(*providers: Provider, url: str = "http://127.0.0.1:1/api") -> Setup:
    found = providers or (provider(),)
    return Setup(providers={p.name: p for p in found}, wallets={"main": wallet(url)}, routes=[Route(wallet="main")])


def key(secret: str, id: str = "k") -> Key:
    return Key(id=id, parts={"secret": secret})


class Mirror:
    """Answers with what it was asked, as JSON; it stands where the engine does."""

    def __init__(self) -> None:
        self.asked: list[Request] = []
        self.started: list[float] = []

    async def handle(self, setup: Setup, provider: Provider, request: Request, started: float) -> Answer:
        self.asked.append(request)
        self.started.append(started)
        plain = {
            "provider": provider.name,
            "generation": setup.generation,
            "path": request.path,
            "query": request.query,
            "target": request.target,
            "body": request.body.decode(),
            "peer": request.peer,
            "certificate": request.certificate,
            "headers": dict(request.headers),
        }
        response = Response(headers={"content-type": "application/json"}, body=json.dumps(plain).encode())
        return Answer(response=response, kind="debit", outcome="accepted", transaction_id="t-1")


@asynccontextmanager
async def listening(
    app: Any, *, tls: ssl.SSLContext | None = None, protocol: type[asyncio.Protocol] = LimitedProtocol
) -> AsyncIterator[tuple[Listener, int]]:
    """(listener, port) of an application on loopback."""
    bound = bind(Listen("127.0.0.1", 0))
    listener = Listener(app, bound, tls=tls, protocol=protocol)
    serving = asyncio.create_task(listener.run_until_told())
    await listener.ready.wait()
    try:
        yield listener, bound.getsockname()[1]
    finally:
        listener.should_exit = True
        await serving


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        yield reader, writer
    finally:
        writer.close()


async def heard(reader: asyncio.StreamReader) -> tuple[int, dict[str, str], bytes]:
    """One answer from the wire."""
    head = (await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)).decode()
    first, *lines = head.strip().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await asyncio.wait_for(reader.readexactly(int(headers.get("content-length", "0"))), 5)
    return int(first.split()[1]), headers, body


async def ended(reader: asyncio.StreamReader) -> bool:
    """Whether the other side closes the connection without another byte."""
    try:
        return await asyncio.wait_for(reader.read(1), 5) == b""
    except ConnectionError:
        return True


async def until(reached: Callable[[], bool], seconds: float = 5.0) -> None:
    """Waits for what another task or process does."""
    async with asyncio.timeout(seconds):
        while not reached():  # noqa: ASYNC110  # sockets and processes set no event of ours
            await asyncio.sleep(0.005)


Script = Callable[["RawServer", asyncio.StreamWriter, int], Awaitable[bool]]


class RawServer:
    """A server that does to a request exactly what its script says; counts what reached it."""

    def __init__(self, script: Script) -> None:
        self._script = script
        self.requests: list[bytes] = []
        self.connections = 0
        self.ends = 0
        self.port = 0
        self.forever = asyncio.Event()
        self.writers: list[asyncio.StreamWriter] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.writers.append(writer)
        number = 0
        try:
            while True:
                self.requests.append(await whole_request(reader))
                number += 1
                if not await self._script(self, writer, number):
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.ends += 1
            writer.close()


async def whole_request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    return head + await reader.readexactly(int(lengths[0].split(b":")[1]) if lengths else 0)


@asynccontextmanager
async def raw_server(script: Script, tls: ssl.SSLContext | None = None) -> AsyncIterator[RawServer]:
    raw = RawServer(script)
    server = await asyncio.start_server(raw.serve, "127.0.0.1", 0, ssl=tls)
    raw.port = server.sockets[0].getsockname()[1]
    try:
        yield raw
    finally:
        raw.forever.set()
        server.close()
        for writer in raw.writers:
            writer.close()
        await until(lambda: raw.ends == raw.connections)


# ---------------------------------------------------------------- certificates


class Authority:
    """A certificate authority and the certificates it signs, as PEM files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test authority")])
        self.ca = folder / "ca.pem"
        self.ca.write_bytes(self._signed(self._name, self._key, authority=True))

    def issue(self, name: str) -> tuple[Path, Path]:
        """(certificate, key) for `name`, good for 127.0.0.1 too."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        cert_path, key_path = self._folder / f"{name}.pem", self._folder / f"{name}.key"
        cert_path.write_bytes(self._signed(subject, key))
        key_path.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        return cert_path, key_path

    def _signed(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey, *, authority: bool = False) -> bytes:
        now = datetime.now(UTC)
        names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(names, critical=False)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
