# A container goes at the latest of its own promise and of those inside it.
grace objects 10d
domain d.example
bucket photos
put photos/a "one"
put photos/b 64KiB
delete photos/a
delete bucket photos
advance 7d
reclaim
show photos
  bucket removed
  a removed 3 delete
  b live 65536
restore bucket photos
restore photos/a
get photos/a "one"
get photos/b 64KiB

delete photos/a
delete bucket photos
delete domain d.example
advance 7d
reclaim
show domain d.example
  domain removed
  photos removed
advance 2d
reclaim
restore domain d.example
restore bucket photos
get photos/b 64KiB
delete bucket photos
delete domain d.example
advance 1d
reclaim
show domain d.example
  domain removed
  photos removed

# The last promise inside is the bucket's second one, then the domain's own.
advance 6d
reclaim
show domain d.example
  domain purging
  photos purging
restore domain d.example refused PurgeInProgress
advance 30s
reclaim
show domain d.example
  domain purged
  photos purged
disk empty
check
