"""Turn text into vectors."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
