"""A private OpenLDAP server in a scratch folder, with TLS, for tests."""
import os
import pathlib
import shutil
import socket
import subprocess

import world as demo_world

SUFFIX = "dc=clipwave,dc=example"
ADMIN = f"cn=admin,{SUFFIX}"


def free_to_use():
    return all(shutil.which(p, path="/usr/sbin:/usr/bin")
               for p in ("slapd", "slapadd", "slapcat"))


class Slapd:
    """Made, filled with slapadd, then started; a port for ldap://, one for
    ldaps://, and a socket for ldapi://."""

    def __init__(self, folder, password="secret of the test"):
        self.folder = pathlib.Path(folder)
        self.password = password
        self.conf = self.folder / "slapd.conf"
        self.ca = self.folder / "ca.pem"
        self.process = None

    def create(self, ldif, size_limit="unlimited"):
        (self.folder / "db").mkdir(parents=True)
        self.certify()
        self.conf.write_text(f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
pidfile {self.folder}/slapd.pid
TLSCACertificateFile {self.ca}
TLSCertificateFile {self.folder}/cert.pem
TLSCertificateKeyFile {self.folder}/key.pem
sizelimit {size_limit}
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw "{self.password}"
directory {self.folder}/db
maxsize 268435456
access to * by users read by * auth
""")
        demo_world.run(["/usr/sbin/slapadd", "-q", "-f", self.conf],
                       text=ldif.removeprefix("version: 1\n"))

    def certify(self):
        """An authority, and the server's certificate from it."""
        key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
               "-nodes"]
        f = self.folder
        demo_world.run(["openssl", "req", "-x509", *key, "-days", "2",
                        "-subj", "/CN=authority", "-keyout", f / "ca.key",
                        "-out", self.ca])
        demo_world.run(["openssl", "req", *key, "-subj", "/CN=localhost",
                        "-keyout", f / "key.pem", "-out", f / "request"])
        # libldap looks for this machine's own name where it says localhost.
        (f / "names").write_text("subjectAltName=DNS:localhost,DNS:"
                                 f"{socket.gethostname()},DNS:"
                                 f"{socket.getfqdn()}\n")
        demo_world.run(["openssl", "x509", "-req", "-in", f / "request",
                        "-CA", self.ca, "-CAkey", f / "ca.key",
                        "-CAcreateserial", "-days", "2", "-extfile",
                        f / "names", "-out", f / "cert.pem"])

    def start(self):
        for _ in range(5):      # another program may take a port first
            port, tls = demo_world.free_port(), demo_world.free_port()
            self.url = f"ldap://localhost:{port}"
            self.tls_url = f"ldaps://localhost:{tls}"
            path = str(self.folder / "ldapi").replace("/", "%2F")
            self.socket_url = f"ldapi://{path}"
            self.process = demo_world.Daemon(
                ["/usr/sbin/slapd", "-d", "0", "-f", self.conf, "-h",
                 f"{self.url}/ {self.tls_url}/ {self.socket_url}/"],
                self.folder / "slapd.log")
            demo_world.wait_for(
                "slapd answers or ends", lambda: self.answers()
                or not self.process.running())
            if self.process.running():
                return
        raise demo_world.Failed((self.folder / "slapd.log").read_text())

    def answers(self):
        return subprocess.run(
            ["ldapsearch", "-x", "-H", self.socket_url, "-s", "base", "-b",
             "", "supportedControl"], capture_output=True,
            env={**os.environ, "LDAPNOINIT": "1"}).returncode == 0

    def slapcat(self):
        return demo_world.run(["/usr/sbin/slapcat", "-f", self.conf])[1]

    def close(self):
        if self.process is not None:
            self.process.end()
