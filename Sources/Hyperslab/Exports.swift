@_exported import HyperslabCore
@_exported import HyperslabIteration
@_exported import HyperslabFormat
