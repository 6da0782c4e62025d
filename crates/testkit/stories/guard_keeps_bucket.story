# No bucket goes over the head of something guarded inside, neither for a client nor for a timer.
bucket photos
put photos/a 64KiB guarded 2d
put photos/b "one"
delete bucket photos refused ContextHasRetainedContent
delete bucket photos now refused ContextHasRetainedContent
get photos/b "one"
advance 2d
delete bucket photos
restore bucket photos

# This guard begins only after the bucket was deleted, and is there when its grace is over.
put photos/c "two" free 3d guarded 10d
delete bucket photos
advance 7d
reclaim
show photos
  bucket removed
  a live 65536
  b live 3
  c live 3
purge bucket photos refused HoldsGuarded
restore bucket photos
get photos/c "two"
delete photos/c refused NotDeletable
delete bucket photos refused ContextHasRetainedContent
advance 3d
delete bucket photos
advance 7d
reclaim
advance 30s
reclaim
disk empty
check
