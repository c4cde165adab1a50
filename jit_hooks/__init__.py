"""Git hooks, a merge driver and a check command for the store of the jit issue tracker."""

__version__ = "0.1.0"
