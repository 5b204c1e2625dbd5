module github.com/changeover-go/changeover

go 1.26.0

require github.com/qmuntal/stateless v1.8.0
