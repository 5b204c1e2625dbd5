package inorder_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/changeover-go/changeover/internal/inorder"
)

func TestKeysComeInOrder(t *testing.T) {
	m := map[string]int{}
	for i := range 100 {
		m[string(rune('a'+i*37%100))] = i
	}
	var keys []string
	for k, v := range inorder.Of(m) {
		require.Equal(t, m[k], v)
		keys = append(keys, k)
	}
	require.Len(t, keys, len(m))
	require.IsIncreasing(t, keys)
}

func TestARangeMayEndEarlyAndChangeTheMap(t *testing.T) {
	m := map[int]bool{1: true, 2: true, 3: true}
	var seen []int
	for k := range inorder.Of(m) {
		m[k+10] = true
		if seen = append(seen, k); k == 2 {
			break
		}
	}
	require.Equal(t, []int{1, 2}, seen)
	for range inorder.Of(map[int]int(nil)) {
		t.Error("there is nothing")
	}
}
