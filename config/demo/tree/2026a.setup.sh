# Sourced in bash before the Jupyter server starts: what it exports is the environment of kernels and terminals.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
view=$(readlink -f "$here/view")
export PATH=$view/bin:$PATH
export VIRTUAL_ENV=$view
export PYSPARK_PYTHON=$view/bin/python
export SPARK_HOME=$view/lib/python3.11/site-packages/pyspark
JAVA_HOME=$(dirname "$(dirname "$(readlink -f "$(command -v java)")")")
export JAVA_HOME
