"""python -m baygrid.cli"""

from baygrid.cli import main

if __name__ == "__main__":
    main()
