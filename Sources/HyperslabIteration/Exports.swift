public import HyperslabCore
