package host

import (
	"fmt"
	"syscall"
)

// Of returns the file system that path lies on.
func Of(path string) (FileSystem, error) {
	var s syscall.Statfs_t
	if err := syscall.Statfs(path, &s); err != nil {
		return FileSystem{}, fmt.Errorf("file system of %s: %w", path, err)
	}
	switch uint32(s.Type) {
	case 0xef53:
		return FileSystem{Name: "ext4"}, nil
	case 0x58465342:
		return FileSystem{Name: "XFS"}, nil
	case 0x9123683e:
		return FileSystem{Name: "Btrfs"}, nil
	case 0x2fc12fc1:
		return FileSystem{Name: "ZFS"}, nil
	case 0x794c7630:
		return FileSystem{Name: "overlayfs"}, nil
	case 0x01021994:
		return FileSystem{Name: "tmpfs", Lies: true}, nil
	case 0x858458f6:
		return FileSystem{Name: "ramfs", Lies: true}, nil
	default:
		return FileSystem{Name: fmt.Sprintf("file system of type %#x", uint32(s.Type))}, nil
	}
}
