"""Databases of addresses for tests: a writer of MaxMind's format (MMDB).

After the MaxMind DB File Format Specification, version 2. `mmdblookup` of
libmaxminddb reads what this writes.

    mmdb.write(path, {"192.0.2.0/24": "NO", "2001:db8::/32": "IE"})
"""
import ipaddress
import struct

MARKER = b"\xab\xcd\xefMaxMind.com"
STRING, DOUBLE, MAP, UINT16, UINT32, UINT64, ARRAY = 2, 3, 7, 5, 6, 9, 11


def control(kind, size):
    """The byte that says of which type a value is, and how long."""
    more = b""
    if size >= 65821:
        size, more = 31, (size - 65821).to_bytes(3, "big")
    elif size >= 285:
        size, more = 30, (size - 285).to_bytes(2, "big")
    elif size >= 29:
        size, more = 29, bytes([size - 29])
    if kind > 7:
        return bytes([size, kind - 7]) + more
    return bytes([kind << 5 | size]) + more


def encode(value, number=UINT32):
    if isinstance(value, str):
        data = value.encode()
        return control(STRING, len(data)) + data
    if isinstance(value, int):
        data = value.to_bytes((value.bit_length() + 7) // 8, "big")
        return control(number, len(data)) + data
    if isinstance(value, float):
        return control(DOUBLE, 8) + struct.pack(">d", value)
    if isinstance(value, dict):
        return control(MAP, len(value)) + b"".join(
            encode(k) + encode(v) for k, v in value.items())
    return control(ARRAY, len(value)) + b"".join(map(encode, value))


def bits_of(network, version):
    """A network's path through the tree; IPv4 stands under ::/96."""
    n = ipaddress.ip_network(network)
    bits = f"{int(n.network_address):0{n.max_prefixlen}b}"[:n.prefixlen]
    return "0" * 96 + bits if version == 6 and n.version == 4 else bits


def record(label):
    if not isinstance(label, str):
        return label            # any other value: as it is
    return {"continent": {"code": "XX"},
            "country": {"geoname_id": 1, "iso_code": label,
                        "names": {"en": f"Country {label}"}},
            "registered_country": {"iso_code": "ZZ"}}


def insert(tree, bits, value):
    """Down from the root; a leaf on the way is passed on to both sides."""
    node = 0
    for bit in map(int, bits[:-1]):
        below = tree[node][bit]
        if not isinstance(below, int):
            tree.append([below, below])
            below = tree[node][bit] = len(tree) - 1
        node = below
    tree[node][int(bits[-1])] = ("leaf", value)


def write(path, networks, *, version=6, record_size=24, built=1790000000,
          kind="Test-Country"):
    """Longer networks win, whatever the order."""
    tree = [[None, None]]
    data, places = b"", {}
    for network in sorted(networks, key=lambda n: len(bits_of(n, version))):
        value = encode(record(networks[network]))
        if value not in places:
            places[value] = len(data)
            data += value
        insert(tree, bits_of(network, version), places[value])
    count = len(tree)

    def number(side):
        if side is None:
            return count
        return side if isinstance(side, int) else count + 16 + side[1]

    out = b"".join(pair(number(a), number(b), record_size) for a, b in tree)
    meta = (("binary_format_major_version", encode(2, UINT16)),
            ("binary_format_minor_version", encode(0, UINT16)),
            ("build_epoch", encode(built, UINT64)),
            ("database_type", encode(kind)),
            ("description", encode({"en": "made by a test"})),
            ("ip_version", encode(version, UINT16)),
            ("languages", encode(["en"])),
            ("node_count", encode(count)),
            ("record_size", encode(record_size, UINT16)))
    out += bytes(16) + data + MARKER + control(MAP, len(meta))
    out += b"".join(encode(name) + value for name, value in meta)
    path.write_bytes(out)


def pair(left, right, record_size):
    if record_size == 28:       # the middle byte holds four bits of each
        middle = bytes([(left >> 24) << 4 | right >> 24])
        return (left & 0xffffff).to_bytes(3, "big") + middle + \
            (right & 0xffffff).to_bytes(3, "big")
    size = record_size // 8
    return left.to_bytes(size, "big") + right.to_bytes(size, "big")
