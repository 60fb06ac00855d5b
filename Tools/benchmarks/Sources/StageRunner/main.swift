import Stages
print(Stage.all.count)
