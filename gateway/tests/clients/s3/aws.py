"""aws-cli, command line by command line, through its own driver: without the half second that each of its starts takes."""

import contextlib
import io
import json
import os

from boto_common import ENDPOINT, must

# Its own settings, which it reads when it is made; whatever a second attempt would repair has failed.
os.environ.update(
    AWS_ENDPOINT_URL=ENDPOINT, AWS_DEFAULT_REGION="us-east-1", AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
    AWS_EC2_METADATA_DISABLED="true",
)

from awscli.clidriver import create_clidriver

DRIVER = create_clidriver()


def run(*line):
    """One command line: its exit code, and what it said."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = DRIVER.main(list(line))
        except SystemExit as ended:
            code = ended.code
    return code, out.getvalue(), err.getvalue()


def aws(*line):
    """What a command prints, which must be done."""
    code, out, err = run(*line)
    must(code == 0, f"aws {' '.join(line)}: {code}: {out}{err}")
    return out


def api(operation, **parameters):
    """The answer of `aws s3api`; parameters are written with underscores, and what is no text as JSON."""
    out = aws("s3api", operation, *arguments(parameters))
    return json.loads(out) if out.strip() else {}


def arguments(parameters):
    """Parameters as a command line has them; `True` stands for one without a value, a tuple for several words."""
    words = []
    for name, value in parameters.items():
        words.append("--" + name.rstrip("_").replace("_", "-"))
        if isinstance(value, tuple):
            words += value
        elif value is not True:
            words.append(value if isinstance(value, str) else json.dumps(value))
    return words


def refused(code, operation, **parameters):
    """`aws s3api` must be refused so."""
    status, out, err = run("s3api", operation, *arguments(parameters))
    must(status != 0, f"aws s3api {operation} must be refused with {code}, but said {out}")
    must(f"({code})" in err, f"aws s3api {operation} must be refused with {code}, but was with {err}")
