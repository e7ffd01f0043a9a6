"""Certificates for tests: made when they are needed, in a scratch folder."""
import datetime
import ipaddress
import os

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

NOW = datetime.datetime.utcnow().replace(microsecond=0)
DAY = datetime.timedelta(days=1)


def name(cn):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, cn)])


class Authority:
    """Signs certificates; its own is in `path`."""

    def __init__(self, folder, cn):
        self.folder = folder
        self.cn = cn
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.serial = 0
        self.revoked = []
        self.path = folder / f"{cn}.crt"
        made = self.builder(name(cn), self.key, -2 * DAY, 2 * DAY) \
            .add_extension(x509.BasicConstraints(True, None), True) \
            .sign(self.key, hashes.SHA256())
        self.path.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def builder(self, subject, key, since, until):
        self.serial += 1
        return x509.CertificateBuilder().subject_name(subject) \
            .issuer_name(name(self.cn)).public_key(key.public_key()) \
            .serial_number(self.serial).not_valid_before(NOW + since) \
            .not_valid_after(NOW + until)

    def issue(self, file, cn, dns=(), ip=(), email=(), uri=(), until=DAY,
              digest=hashes.SHA256()):
        """(certificate, key) as paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = self.builder(name(cn), key, -2 * DAY, until)
        names = [*map(x509.DNSName, dns), *map(x509.RFC822Name, email),
                 *map(x509.UniformResourceIdentifier, uri),
                 *(x509.IPAddress(ipaddress.ip_address(i)) for i in ip)]
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName(names), False)
        made = builder.sign(self.key, digest)
        paths = self.folder / f"{file}.crt", self.folder / f"{file}.key"
        paths[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
        with open(os.open(paths[1], os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
                          0o600), "wb") as f:
            f.write(key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption()))
        return paths

    def revoke(self, certificate):
        """The list of all that it has revoked, as a path."""
        self.revoked.append(x509.load_pem_x509_certificate(
            certificate.read_bytes()).serial_number)
        builder = x509.CertificateRevocationListBuilder() \
            .issuer_name(name(self.cn)).last_update(NOW - DAY) \
            .next_update(NOW + DAY)
        for serial in self.revoked:
            builder = builder.add_revoked_certificate(
                x509.RevokedCertificateBuilder().serial_number(serial)
                .revocation_date(NOW - DAY).build())
        path = self.folder / f"{self.cn}.crl"
        path.write_bytes(builder.sign(self.key, hashes.SHA256())
                         .public_bytes(serialization.Encoding.PEM))
        return path
