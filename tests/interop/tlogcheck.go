// Command tlogcheck reads and writes logs with Go's own packages note and
// tlog (golang.org/x/mod/sumdb), and shares no code with Sworn.
//
//	tlogcheck check VKEY DIR [CHECKPOINT...]
//	tlogcheck proofs VKEY DIR KEPT <PROOFS
//	tlogcheck write SKEYFILE ORIGIN DIR <ENTRIES
//	tlogcheck key NAME FILE
//	tlogcheck signed VKEY... <NOTE
//
// check: the checkpoint's signature; every tile and entry bundle, against
// hashes computed from the entries; every entry's inclusion and the
// consistency with each older CHECKPOINT, proved from the tiles on disk.
// proofs: what write_log printed, against the signed roots in KEPT.
// write: a log of the entries (a line each). key: a new signing key. signed:
// each of the keys has signed the note; prints its text for each.
// The exit status is 0 if all is well and 1 if not; then it says what.
package main

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// path is a tile's place as c2sp.org/tlog-tiles has it: tlog's own without
// the height, and with "entries" where tlog says "data".
func path(t tlog.Tile) string {
	p := strings.TrimPrefix(t.Path(), "tile/8/")
	if rest := strings.TrimPrefix(p, "data/"); rest != p {
		p = "entries/" + rest
	}
	return "tile/" + p
}

func readTile(dir string, t tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(filepath.Join(dir, path(t)))
	if errors.Is(err, os.ErrNotExist) && t.W < 1<<height {
		full := t
		full.W = 1 << height
		data, err = os.ReadFile(filepath.Join(dir, path(full)))
		if err == nil && t.L >= 0 && len(data) == tlog.HashSize<<height {
			data = data[:t.W*tlog.HashSize]
		}
	}
	return data, err
}

func readCheckpoint(file, vkey string) (tlog.Tree, error) {
	var tree tlog.Tree
	text, err := os.ReadFile(file)
	if err != nil {
		return tree, err
	}
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	n, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return tree, fmt.Errorf("checkpoint: %w", err)
	}
	lines := strings.Split(n.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tree, fmt.Errorf("checkpoint: not three lines")
	}
	if lines[0] != verifier.Name() {
		return tree, fmt.Errorf("checkpoint: of the log %q", lines[0])
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, fmt.Errorf("checkpoint: size %q", lines[1])
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// reader hands tiles to tlog.TileHashReader, which checks them.
type reader struct{ dir string }

func (r reader) Height() int                            { return height }
func (r reader) SaveTiles(t []tlog.Tile, data [][]byte) {}
func (r reader) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := readTile(r.dir, t)
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

// memory has the hashes of a tree in the order that tlog numbers them.
type memory []tlog.Hash

func (m memory) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var out []tlog.Hash
	for _, i := range indexes {
		if i >= int64(len(m)) {
			return nil, fmt.Errorf("no hash %d", i)
		}
		out = append(out, m[i])
	}
	return out, nil
}

func (m *memory) add(n int64, entry []byte) error {
	hashes, err := tlog.StoredHashes(n, entry, *m)
	*m = append(*m, hashes...)
	return err
}

func widthOf(i, size int64) int {
	if left := size - i<<height; left < 1<<height {
		return int(left)
	}
	return 1 << height
}

func readEntries(dir string, size int64) ([][]byte, error) {
	var all [][]byte
	for i := int64(0); i<<height < size; i++ {
		t := tlog.Tile{H: height, L: -1, N: i, W: widthOf(i, size)}
		data, err := readTile(dir, t)
		if err != nil {
			return nil, err
		}
		for j := 0; j < t.W; j++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				return nil, fmt.Errorf("%s: cut", path(t))
			}
			end := 2 + int(binary.BigEndian.Uint16(data))
			all = append(all, data[2:end])
			data = data[end:]
		}
		_, err = os.Stat(filepath.Join(dir, path(t)))
		if len(data) > 0 && err == nil {
			return nil, fmt.Errorf("%s: more than its entries", path(t))
		}
	}
	return all, nil
}

func hashAll(entries [][]byte) (memory, error) {
	var m memory
	for i, e := range entries {
		if err := m.add(int64(i), e); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// tilesOf lists the tiles of a tree; tlog.NewTiles has those of smaller trees
// of the same right edge, too.
func tilesOf(size int64) []tlog.Tile {
	var out []tlog.Tile
	for _, t := range tlog.NewTiles(height, 0, size) {
		hashes := size >> (height * t.L)
		if t.W == widthOf(t.N, hashes) {
			out = append(out, t)
		}
	}
	return out
}

// checkTiles compares every tile with the hashes of the entries.
func checkTiles(dir string, size int64, m memory) error {
	for _, t := range tilesOf(size) {
		want, err := tlog.ReadTileData(t, m)
		if err != nil {
			return err
		}
		have, err := readTile(dir, t)
		if err != nil {
			return err
		}
		if !bytes.Equal(want, have) {
			return fmt.Errorf("%s: not the entries' hashes", path(t))
		}
	}
	return nil
}

func check(vkey, dir string, older []string) error {
	tree, err := readCheckpoint(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		return err
	}
	entries, err := readEntries(dir, tree.N)
	if err != nil {
		return err
	}
	m, err := hashAll(entries)
	if err != nil {
		return err
	}
	root, err := tlog.TreeHash(tree.N, m)
	if err != nil || root != tree.Hash {
		return fmt.Errorf("root: the entries give %v, signed is %v", root, tree.Hash)
	}
	if err := checkTiles(dir, tree.N, m); err != nil {
		return err
	}
	tiles := tlog.TileHashReader(tree, reader{dir})
	for i, e := range entries {
		p, err := tlog.ProveRecord(tree.N, int64(i), tiles)
		if err == nil {
			err = tlog.CheckRecord(p, tree.N, tree.Hash, int64(i), tlog.RecordHash(e))
		}
		if err != nil {
			return fmt.Errorf("inclusion of %d: %w", i, err)
		}
	}
	for _, file := range older {
		old, err := readCheckpoint(file, vkey)
		if err != nil {
			return err
		}
		if old.N > tree.N {
			return fmt.Errorf("consistency: rolled back from %d to %d", old.N, tree.N)
		}
		p, err := tlog.ProveTree(tree.N, old.N, tiles)
		if err == nil {
			err = tlog.CheckTree(p, tree.N, tree.Hash, old.N, old.Hash)
		}
		if err != nil {
			return fmt.Errorf("consistency with %d: %w", old.N, err)
		}
	}
	fmt.Printf("%d entries, %d older checkpoints\n", tree.N, len(older))
	return nil
}

func checkProof(vkey, dir, kept string, words []string, entries [][]byte) error {
	a, err := strconv.ParseInt(words[1], 10, 64)
	if err != nil {
		return err
	}
	tree, err := readCheckpoint(filepath.Join(kept, words[2]), vkey)
	if err != nil {
		return err
	}
	var hashes []tlog.Hash
	for _, w := range words[3:] {
		h, err := tlog.ParseHash(w)
		if err != nil {
			return err
		}
		hashes = append(hashes, h)
	}
	switch words[0] {
	case "inclusion":
		return tlog.CheckRecord(hashes, tree.N, tree.Hash, a, tlog.RecordHash(entries[a]))
	case "consistency":
		old, err := readCheckpoint(filepath.Join(kept, words[1]), vkey)
		if err != nil {
			return err
		}
		return tlog.CheckTree(hashes, tree.N, tree.Hash, old.N, old.Hash)
	}
	return fmt.Errorf("no such kind of proof")
}

func proofs(vkey, dir, kept string) error {
	tree, err := readCheckpoint(filepath.Join(dir, "checkpoint"), vkey)
	if err != nil {
		return err
	}
	entries, err := readEntries(dir, tree.N)
	if err != nil {
		return err
	}
	count := map[string]int{}
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		words := strings.Fields(in.Text())
		if len(words) < 3 {
			return fmt.Errorf("no proof: %q", in.Text())
		}
		if err := checkProof(vkey, dir, kept, words, entries); err != nil {
			return fmt.Errorf("%s %s of %s: %w", words[0], words[1], words[2], err)
		}
		count[words[0]]++
	}
	fmt.Printf("%d inclusion, %d consistency\n", count["inclusion"], count["consistency"])
	return in.Err()
}

// Whether each of the keys has signed the note on standard input.
func signed(vkeys []string) error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	for _, vkey := range vkeys {
		v, err := note.NewVerifier(vkey)
		if err != nil {
			return err
		}
		n, err := note.Open(text, note.VerifierList(v))
		if err != nil {
			return err
		}
		fmt.Print(n.Text)
	}
	return nil
}

func save(dir, name string, data []byte) error {
	file := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func write(keyFile, origin, dir string) error {
	skey, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(strings.TrimSpace(string(skey)))
	if err != nil {
		return err
	}
	var entries [][]byte
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<20)
	for in.Scan() {
		entries = append(entries, append([]byte(nil), in.Bytes()...))
	}
	m, err := hashAll(entries)
	if err != nil {
		return err
	}
	size := int64(len(entries))
	for _, t := range tilesOf(size) {
		data, err := tlog.ReadTileData(t, m)
		if err != nil {
			return err
		}
		if err := save(dir, path(t), data); err != nil {
			return err
		}
	}
	for i := int64(0); i<<height < size; i++ {
		t := tlog.Tile{H: height, L: -1, N: i, W: widthOf(i, size)}
		var bundle []byte
		for _, e := range entries[i<<height : i<<height+int64(t.W)] {
			bundle = binary.BigEndian.AppendUint16(bundle, uint16(len(e)))
			bundle = append(bundle, e...)
		}
		if err := save(dir, path(t), bundle); err != nil {
			return err
		}
	}
	root, err := tlog.TreeHash(size, m)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("%s\n%d\n%s\n", origin, size,
		base64.StdEncoding.EncodeToString(root[:]))
	signed, err := note.Sign(&note.Note{Text: text}, signer)
	if err != nil {
		return err
	}
	return save(dir, "checkpoint", signed)
}

func key(name, file string) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	if err != nil {
		return err
	}
	fmt.Println(vkey)
	return os.WriteFile(file, []byte(skey+"\n"), 0o600)
}

func main() {
	a := os.Args[1:]
	err := errors.New("see the top of tlogcheck.go for usage")
	switch {
	case len(a) >= 3 && a[0] == "check":
		err = check(a[1], a[2], a[3:])
	case len(a) == 4 && a[0] == "proofs":
		err = proofs(a[1], a[2], a[3])
	case len(a) == 4 && a[0] == "write":
		err = write(a[1], a[2], a[3])
	case len(a) >= 2 && a[0] == "signed":
		err = signed(a[1:])
	case len(a) == 3 && a[0] == "key":
		err = key(a[1], a[2])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tlogcheck:", err)
		os.Exit(1)
	}
}
