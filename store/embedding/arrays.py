"""The kind of array that vectors come in."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
