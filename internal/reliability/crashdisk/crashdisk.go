// Package crashdisk is a file system in memory that remembers what was made
// durable: of the content of files by a sync of the file, of their names by a
// sync of the directory. It is for the tiers of package reliability. [Disk.Cut]
// cuts the power, after which any part of what was not synced may be there;
// [Disk.Kill] ends the process alone, after which all of it is still there, and
// still not synced.
//
// It fails nothing by itself: internal/disk/disktest does, and [Disk.Forget] is
// what a failed sync does beside returning an error. It knows no modes and no
// users.
package crashdisk

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/changeover-go/changeover/internal/disk"
)

// ErrDead is returned by everything that a process had opened before it died.
var ErrDead = errors.New("the process that opened this is gone")

// A Disk is a file system. [New] returns it.
type Disk struct {
	mu       sync.Mutex
	process  int // what earlier ones opened is dead
	numbers  uint64
	dirs     map[string]*dir
	unsynced []item // in the order in which they were done
}

var _ disk.FS = (*Disk)(nil)

// New returns an empty file system, in which every directory has a parent.
func New() *Disk { return &Disk{dirs: map[string]*dir{}} }

type dir struct {
	number         uint64
	locked         bool
	names, durable map[string]*inode
}

type inode struct {
	number        uint64
	data, durable []byte
	links         int
	lock          *file // who has it
}

// An item is something that was done and not synced: a write to a file, a
// change of its size, a change of a name, or a new directory.
type item struct {
	dir  string // path of the directory
	name string // empty for a new directory

	file *inode // whose content, or whom the name is for; nil: the name was removed
	data bool   // of the content
	at   int64
	b    []byte // nil: the size becomes at
}

func (i item) String() string {
	switch {
	case i.data && i.b != nil:
		return fmt.Sprintf("%d bytes at %d", len(i.b), i.at)
	case i.data:
		return fmt.Sprintf("size %d", i.at)
	case i.name == "":
		return "directory " + i.dir
	case i.file == nil:
		return "removal of " + i.name
	}
	return "name " + i.name
}

func (d *Disk) number() uint64 { d.numbers++; return d.numbers }

// did does an item, which is not synced yet.
func (d *Disk) did(i item) {
	d.unsynced = append(d.unsynced, i)
	switch {
	case i.data:
		i.file.data = i.apply(i.file.data)
	case i.name == "":
		d.dirs[i.dir] = &dir{number: d.number(), names: map[string]*inode{}, durable: map[string]*inode{}}
	default:
		set(d.dirs[i.dir].names, i.name, i.file)
	}
}

func set(names map[string]*inode, name string, file *inode) {
	if file == nil {
		delete(names, name)
	} else {
		names[name] = file
	}
}

// apply returns content with a write or change of size done to it.
func (i item) apply(to []byte) []byte {
	end := i.at + int64(len(i.b))
	if grow := end - int64(len(to)); grow > 0 {
		to = append(to, make([]byte, grow)...)
	}
	if i.b == nil {
		return to[:i.at]
	}
	copy(to[i.at:], i.b)
	return to
}

// settle makes the items durable that of picks.
func (d *Disk) settle(of func(item) bool) {
	d.unsynced = slices.DeleteFunc(d.unsynced, func(i item) bool {
		if !of(i) {
			return false
		}
		d.keep(i)
		return true
	})
}

// keep makes an item durable.
func (d *Disk) keep(i item) {
	switch {
	case i.data:
		i.file.durable = i.apply(i.file.durable)
	case i.name != "":
		if dir, ok := d.dirs[i.dir]; ok { // else the directory itself was lost
			set(dir.durable, i.name, i.file)
		}
	}
}

// Unsynced says what was done and not synced.
func (d *Disk) Unsynced() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	told := make([]string, len(d.unsynced))
	for n, i := range d.unsynced {
		told[n] = i.String()
	}
	return told
}

// Pending returns how many items were done and not synced.
func (d *Disk) Pending() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.unsynced)
}

// Forget drops what was written to the file and not synced, as a kernel does
// that cannot write it: those who read it see it still, but no sync will make it
// durable any more.
func (d *Disk) Forget(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir, ok := d.dirs[filepath.Dir(path)]; ok {
		ino := dir.names[filepath.Base(path)]
		d.unsynced = slices.DeleteFunc(d.unsynced, func(i item) bool { return i.data && i.file == ino })
	}
}

// Kill ends the process: its locks are gone, and it can do nothing more.
func (d *Disk) Kill() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.kill()
}

func (d *Disk) kill() {
	d.process++
	for _, dir := range d.dirs {
		dir.locked = false
		for _, ino := range dir.names {
			ino.lock = nil
		}
	}
}

// Cut cuts the power. Of what was not synced, the survivors are there.
func (d *Disk) Cut(survivors Survivors) {
	d.mu.Lock()
	defer d.mu.Unlock()
	parts := survivors.of(d.unsynced)
	for n, i := range d.unsynced {
		if i.name == "" && !i.data && parts[n] == nothing {
			delete(d.dirs, i.dir)
		}
	}
	for n, i := range d.unsynced {
		switch parts[n] {
		case half:
			i.b = i.b[:len(i.b)/2]
			d.keep(i)
		case zeros:
			// A file can be longer before its content has arrived; what is
			// overwritten has its old content then, never zeros.
			if end := i.at + int64(len(i.b)); end > int64(len(i.file.durable)) {
				d.keep(item{file: i.file, data: true, at: end})
			}
		case whole:
			d.keep(i)
		}
	}
	d.unsynced = nil
	for _, dir := range d.dirs {
		dir.names = maps.Clone(dir.durable)
		for _, ino := range dir.names {
			ino.links = 0
		}
	}
	for _, dir := range d.dirs {
		for _, ino := range dir.names {
			ino.data = slices.Clone(ino.durable)
			ino.links++
		}
	}
	d.kill()
}

// Mkdir implements [disk.FS].
func (d *Disk) Mkdir(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.dirs[path]; ok {
		return &fs.PathError{Op: "mkdir", Path: path, Err: fs.ErrExist}
	}
	d.did(item{dir: path})
	return nil
}

// Lstat implements [disk.FS].
func (d *Disk) Lstat(path string) (disk.Info, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if dir, ok := d.dirs[path]; ok {
		return dir.info(), nil
	}
	return disk.Info{}, &fs.PathError{Op: "lstat", Path: path, Err: fs.ErrNotExist}
}

func (d *dir) info() disk.Info {
	return disk.Info{Mode: fs.ModeDir | 0o700, Owner: -1, Links: 2, Number: d.number}
}

func (i *inode) info() disk.Info {
	return disk.Info{Mode: 0o600, Size: int64(len(i.data)), Time: time.Unix(0, 0), Owner: -1, Links: uint64(i.links), Number: i.number}
}

// Open implements [disk.FS].
func (d *Disk) Open(path string) (disk.Root, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.dirs[path]; !ok {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return &root{d: d, path: path, process: d.process}, nil
}

type root struct {
	d       *Disk
	path    string
	process int
	locked  bool
}

// enter begins an operation; leave ends it.
func (r *root) enter() (*dir, error) {
	r.d.mu.Lock()
	if r.process != r.d.process {
		return nil, ErrDead
	}
	return r.d.dirs[r.path], nil
}

func (r *root) leave() { r.d.mu.Unlock() }

func (r *root) Stat() (disk.Info, error) {
	defer r.leave()
	dir, err := r.enter()
	if err != nil {
		return disk.Info{}, err
	}
	return dir.info(), nil
}

// find begins an operation on a file that is there.
func (r *root) find(op, name string) (*inode, error) {
	dir, err := r.enter()
	if err != nil {
		return nil, err
	}
	ino, ok := dir.names[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return ino, nil
}

// take begins an operation that needs a name that is free.
func (r *root) take(op, name string) error {
	dir, err := r.enter()
	if err != nil {
		return err
	}
	if _, ok := dir.names[name]; ok {
		return &fs.PathError{Op: op, Path: name, Err: fs.ErrExist}
	}
	return nil
}

func (r *root) Lstat(name string) (disk.Info, error) {
	defer r.leave()
	ino, err := r.find("lstat", name)
	if err != nil {
		return disk.Info{}, err
	}
	return ino.info(), nil
}

func (r *root) Names() ([]string, error) {
	defer r.leave()
	dir, err := r.enter()
	if err != nil {
		return nil, err
	}
	return slices.Sorted(maps.Keys(dir.names)), nil
}

func (r *root) OpenFile(name string, write bool) (disk.File, error) {
	defer r.leave()
	ino, err := r.find("open", name)
	if err != nil {
		return nil, err
	}
	return &file{r, ino, write}, nil
}

func (r *root) CreateNew(name string) (disk.File, error) {
	defer r.leave()
	if err := r.take("create", name); err != nil {
		return nil, err
	}
	ino := &inode{number: r.d.number(), links: 1}
	r.d.did(item{dir: r.path, name: name, file: ino})
	return &file{r, ino, true}, nil
}

func (r *root) Link(name, second string) error {
	defer r.leave()
	if err := r.take("link", second); err != nil {
		return err
	}
	ino, ok := r.d.dirs[r.path].names[name]
	if !ok {
		return &fs.PathError{Op: "link", Path: name, Err: fs.ErrNotExist}
	}
	ino.links++
	r.d.did(item{dir: r.path, name: second, file: ino})
	return nil
}

func (r *root) Remove(name string) error {
	defer r.leave()
	ino, err := r.find("remove", name)
	if err != nil {
		return err
	}
	ino.links--
	r.d.did(item{dir: r.path, name: name})
	return nil
}

func (r *root) Sync() error {
	defer r.leave()
	if _, err := r.enter(); err != nil {
		return err
	}
	r.d.settle(func(i item) bool { return !i.data && i.name != "" && i.dir == r.path })
	return nil
}

func (r *root) SyncParent() error {
	defer r.leave()
	if _, err := r.enter(); err != nil {
		return err
	}
	r.d.settle(func(i item) bool {
		return !i.data && i.name == "" && filepath.Dir(i.dir) == filepath.Dir(r.path)
	})
	return nil
}

func (r *root) Lock() error {
	defer r.leave()
	dir, err := r.enter()
	switch {
	case err != nil:
		return err
	case dir.locked:
		return disk.ErrBusy
	}
	dir.locked, r.locked = true, true
	return nil
}

func (r *root) Close() error {
	defer r.leave()
	if dir, err := r.enter(); err == nil && r.locked {
		dir.locked, r.locked = false, false
	}
	return nil
}

type file struct {
	*root
	ino   *inode
	write bool
}

func (f *file) begin(writes bool) error {
	_, err := f.enter()
	if err == nil && writes && !f.write {
		err = fs.ErrPermission
	}
	return err
}

func (f *file) Stat() (disk.Info, error) {
	defer f.leave()
	if err := f.begin(false); err != nil {
		return disk.Info{}, err
	}
	return f.ino.info(), nil
}

func (f *file) ReadAt(p []byte, at int64) (int, error) {
	defer f.leave()
	if err := f.begin(false); err != nil {
		return 0, err
	}
	if at >= int64(len(f.ino.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.ino.data[at:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, at int64) (int, error) {
	defer f.leave()
	if err := f.begin(true); err != nil {
		return 0, err
	}
	if len(p) > 0 {
		f.d.did(item{dir: f.path, file: f.ino, data: true, at: at, b: slices.Clone(p)})
	}
	return len(p), nil
}

func (f *file) Truncate(size int64) error {
	defer f.leave()
	if err := f.begin(true); err != nil {
		return err
	}
	if size != int64(len(f.ino.data)) {
		f.d.did(item{dir: f.path, file: f.ino, data: true, at: size})
	}
	return nil
}

func (f *file) Sync() error {
	defer f.leave()
	if err := f.begin(false); err != nil {
		return err
	}
	f.d.settle(func(i item) bool { return i.data && i.file == f.ino })
	return nil
}

func (f *file) Lock() error {
	defer f.leave()
	if err := f.begin(false); err != nil {
		return err
	}
	if f.ino.lock != nil && f.ino.lock != f {
		return disk.ErrBusy
	}
	f.ino.lock = f
	return nil
}

func (f *file) Close() error {
	defer f.leave()
	if f.begin(false) == nil && f.ino.lock == f {
		f.ino.lock = nil
	}
	return nil
}
