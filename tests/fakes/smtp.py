"""A mail server that speaks TLS from the first byte, one connection at a time, in a thread."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class SmtpFake:
    """`recipient` and `mail` are its answers; without one, it hangs up in that place."""

    recipient: bytes = b"250 ok"
    mail: bytes = b"250 ok"
    log: list[str] = field(default_factory=list)

    def converse(self, peer: ssl.SSLSocket) -> None:
        """Until the other side, or an empty answer, ends it."""
        lines = peer.makefile("rb")
        peer.sendall(b"220 ready\r\n")
        for line in lines:
            answer = self._answer(line[:4].upper())
            if not answer:
                return
            peer.sendall(answer + b"\r\n")
            if answer.startswith(b"354"):
                mail = b"".join(iter(lines.readline, b".\r\n"))
                if self.mail.startswith(b"2"):
                    self.log.append(mail.decode())
                if not self.mail:
                    return
                peer.sendall(self.mail + b"\r\n")

    def _answer(self, verb: bytes) -> bytes:
        match verb:
            case b"EHLO":
                return b"250-here\r\n250 AUTH PLAIN"
            case b"AUTH":
                return b"235 ok"
            case b"RCPT":
                return self.recipient
            case b"DATA":
                return b"354 go on"
            case b"QUIT" | b"MAIL" | b"RSET":
                return b"250 ok"
        raise AssertionError(verb)


@contextmanager
def serving_mail(fake: SmtpFake, folder: Path) -> Iterator[tuple[int, Path]]:
    """Serve as `localhost`; gives the port, and the certificate that is to be trusted."""
    certificate = _certificate(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_accept, args=(fake, server, context), daemon=True)
        thread.start()
        yield server.getsockname()[1], certificate
        server.shutdown(socket.SHUT_RDWR)
        thread.join(5)


def _accept(fake: SmtpFake, server: socket.socket, context: ssl.SSLContext) -> None:
    with suppress(OSError):  # the server was shut down
        while True:
            plain, _address = server.accept()
            with plain, suppress(OSError), context.wrap_socket(plain, server_side=True) as peer:
                fake.converse(peer)


def _certificate(folder: Path) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "localhost.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
