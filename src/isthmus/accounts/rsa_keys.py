"""RSA keys of service accounts: read from PEM, tried, and signed with by RS256. Imported where there is one.

Refuses, with ValueError and in words that hold nothing of them, keys that cannot be read, are of another size, or do
not sign.
"""

from cryptography.exceptions import InternalError, InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key

SMALLEST, LARGEST = 2048, 4096
"""Bits of a key."""
_PROBE = b"isthmus"


def check_key(pem: str) -> None:
    """What the key signs can be checked. Raises ValueError."""
    key = _read(pem)
    try:
        key.public_key().verify(key.sign(_PROBE, PKCS1v15(), SHA256()), _PROBE, PKCS1v15(), SHA256())
    except (ValueError, InvalidSignature, InternalError):
        raise ValueError("the private_key signs nothing that could be checked") from None


def rs256(pem: str, data: bytes) -> bytes:
    """The signature. Takes milliseconds. Raises ValueError."""
    return _read(pem).sign(data, PKCS1v15(), SHA256())


def _read(pem: str) -> RSAPrivateKey:
    """Whether its primes are some is not asked: it would take a second, of 4096 bits, and a bad key harms its owner."""
    try:
        found = load_pem_private_key(pem.encode(), None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        # its words may quote what was read
        raise ValueError("there is no private_key that can be read, in PEM and without a passphrase") from None
    if not isinstance(found, RSAPrivateKey) or not SMALLEST <= found.key_size <= LARGEST:
        raise ValueError(f"the private_key is no RSA key of {SMALLEST} to {LARGEST} bits")
    return found
