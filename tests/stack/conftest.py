"""The CDK needs a Node that its release supports: the tests bring their own."""

from __future__ import annotations

import os

from tests.stack.node import NODE

os.environ["JSII_NODE"] = NODE
