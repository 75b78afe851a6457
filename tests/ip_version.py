"""Version that IPs of builds carry."""

from lutgen import __version__

#: The package's first two numbers, as Vivado knows no more.
IP_VERSION = ".".join(__version__.split(".")[:2])
