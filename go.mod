module github.com/refundry/refundry

go 1.26
