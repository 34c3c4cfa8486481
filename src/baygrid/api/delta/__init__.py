"""Delta Sharing (github.com/delta-io/delta-sharing, PROTOCOL.md): shared tables for recipients, below
`/delta-sharing`. What recipients may read is `app`'s; here is only how the protocol says it."""
