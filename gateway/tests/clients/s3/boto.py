"""boto3 against a live server: everything, or what is named on the command line. Ends with 1 at the first surprise."""

import importlib
import sys
import traceback

sys.dont_write_bytecode = True

PROGRAMS = [
    "boto_transfers", "boto_presigned", "boto_forms", "boto_conditions", "boto_checksums", "boto_parts", "boto_versions",
    "boto_listings", "boto_names", "boto_errors", "boto_chunked", "boto_governing",
]


def main(names):
    for name in names or PROGRAMS:
        print(f"-- {name}", flush=True)
        try:
            importlib.import_module(name).run()
        except Exception as surprise:
            traceback.print_exc()
            sys.exit(f"FAILED: {name}: {type(surprise).__name__}: {surprise}")


if __name__ == "__main__":
    main(sys.argv[1:])
