"""Text to vectors."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
