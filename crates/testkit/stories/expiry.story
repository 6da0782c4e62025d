# A lifepoint ends an object in its second, whether or not anybody sweeps; then its grace begins.
bucket photos
put photos/a "one" expires 2d
put photos/b 64KiB expires 2d
put photos/c "kept"
advance 47h
get photos/a "one"
advance 1h
get photos/a missing
delete photos/a refused NotFound
show photos
  bucket live
  a live 3
  b live 65536
  c live 4

# The name is free at once.
put photos/a "new"
get photos/a "new"
reclaim
show photos
  bucket live
  a removed 3 lifepoint
  a live 3
  b removed 65536 lifepoint
  c live 4

# What is restored stays: its lifepoint has had its say.
restore photos/b
get photos/b 64KiB
advance 1d
reclaim
get photos/b 64KiB
show photos
  bucket live
  a purged lifepoint
  a live 3
  b live 65536
  c live 4

# In a deleted bucket no timer acts: what expired there is missing when the bucket returns.
put photos/d "short" expires 1d
delete bucket photos
advance 2d
reclaim
restore bucket photos
get photos/d missing
get photos/c "kept"
reclaim
restore photos/d
get photos/d "short"
check
