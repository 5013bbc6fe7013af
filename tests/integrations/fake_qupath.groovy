/**
 * So much of QuPath's scripting interface as the scripts of integrations/qupath call: images, objects and a project in
 * memory, GeoJSON read and written as QuPath does. Names and meanings are those of QuPath 0.5 (qupath.lib.scripting.QP).
 *   groovy fake_qupath.groovy SCRIPT SCENE.json      the scene says what is open, and gets what the script left
 */
import groovy.json.JsonOutput
import groovy.json.JsonSlurper
import org.codehaus.groovy.control.CompilerConfiguration

class PathClass {
    String name
    String toString() { name }
}

/** A point, points or a polygon, by GeoJSON's geometry. */
class ROI {
    Map geometry
    List corners() { geometry.type == "Point" ? [geometry.coordinates] : geometry.type == "MultiPoint" ? geometry.coordinates : geometry.coordinates[0] }
    boolean isPoint() { geometry.type in ["Point", "MultiPoint"] }
    boolean isArea() { geometry.type == "Polygon" }
    double getBoundsX() { corners()*.get(0).min() }
    double getBoundsY() { corners()*.get(1).min() }
    double getBoundsWidth() { corners()*.get(0).max() - getBoundsX() }
    double getBoundsHeight() { corners()*.get(1).max() - getBoundsY() }
    double getCentroidX() { corners()*.get(0).sum() / corners().size() }
    double getCentroidY() { corners()*.get(1).sum() / corners().size() }
    boolean contains(double x, double y) {  // of rectangles
        x >= boundsX && x < boundsX + boundsWidth && y >= boundsY && y < boundsY + boundsHeight
    }
}

class Measurements {
    Map values
    boolean containsKey(String name) { values.containsKey(name) }
}

class PathObject {
    Map feature
    boolean selected
    boolean isAnnotation() { feature.properties.objectType == "annotation" }
    boolean isDetection() { feature.properties.objectType == "detection" }
    boolean hasROI() { true }
    ROI getROI() { new ROI(geometry: feature.geometry) }
    PathClass getPathClass() {
        def c = feature.properties.classification
        c ? new PathClass(name: c.name) : null
    }
    Measurements getMeasurementList() { new Measurements(values: feature.properties.measurements ?: [:]) }
}

class PathObjects {
    static PathObject createAnnotationObject(ROI roi, PathClass c) {
        new PathObject(feature: [type: "Feature", geometry: roi.geometry,
                                 properties: [objectType: "annotation", classification: [name: c.name, color: [0, 0, 180]]]])
    }
}

class RegionRequest {
    String path
    int x, y, width, height
    static RegionRequest createInstance(String path, double downsample, int x, int y, int width, int height) {
        new RegionRequest(path: path, x: x, y: y, width: width, height: height)
    }
}

class Calibration {
    Double um
    boolean hasPixelSizeMicrons() { um != null }
    double getAveragedPixelSizeMicrons() { um }
}

class ServerMetadata {
    String name
}

class Server {
    File file
    String serverType
    Double um
    Integer shownWidth  // of an image that is not the file's
    List<URI> getURIs() { [file.toURI()] }
    String getServerType() { serverType }
    String getPath() { file.path }
    int getWidth() { shownWidth ?: javax.imageio.ImageIO.read(file).width }
    int getHeight() { javax.imageio.ImageIO.read(file).height }
    Calibration getPixelCalibration() { new Calibration(um: um) }
    ServerMetadata getMetadata() { new ServerMetadata(name: file.name) }
}

class Hierarchy {
    List<PathObject> objects
    List<PathObject> getAnnotationObjects() { objects.findAll { it.isAnnotation() } }
    List<PathObject> getDetectionObjects() { objects.findAll { it.isDetection() } }
}

class Entry {
    Map image
    String getImageName() { new File(image.file).name }
    List<URI> getURIs() { [new File(image.file).toURI()] }
    Hierarchy readHierarchy() { new Hierarchy(objects: image.objects.collect { new PathObject(feature: it) }) }
}

class Project {
    List images
    List<Entry> getImageList() { images.collect { new Entry(image: it) } }
}

/** What scripts call without a name before it. */
abstract class FakeQP extends Script {
    static final String PROJECT_BASE_DIR = "{%PROJECT}"
    static Server server
    static Project project
    static File base
    static List<PathObject> objects = []

    Server getCurrentServer() { server }
    Project getProject() { project }
    List<PathObject> getSelectedObjects() { objects.findAll { it.selected } }
    List<PathObject> getDetectionObjects() { objects.findAll { it.isDetection() } }
    PathClass getPathClass(String name) { new PathClass(name: name) }
    String buildFilePath(String... parts) { parts.collect { it.replace(PROJECT_BASE_DIR, base.path) }.join("/") }
    void removeObjects(Collection<PathObject> gone, boolean keepChildren) { objects.removeAll { o -> gone.any { it.is(o) } } }
    void fireHierarchyUpdate() {}
    void exportObjectsToGeoJson(Collection<PathObject> which, String path, String option) {
        assert option == "FEATURE_COLLECTION"
        new File(path).text = JsonOutput.toJson([type: "FeatureCollection", features: which*.feature])
    }
    boolean importObjectsFromFile(String path) {
        objects.addAll(new JsonSlurper().parse(new File(path)).features.collect { new PathObject(feature: it) })
    }
    void writeImageRegion(Server from, RegionRequest r, String path) {
        def part = javax.imageio.ImageIO.read(from.file).getSubimage(r.x, r.y, r.width, r.height)
        assert javax.imageio.ImageIO.write(part, "png", new File(path))
    }
}

def scene = new JsonSlurper().parse(new File(args[1]))
FakeQP.base = new File(args[1]).absoluteFile.parentFile
if (scene.file)
    FakeQP.server = new Server(file: new File(scene.file), serverType: scene.server, um: scene.um, shownWidth: scene.width)
FakeQP.project = new Project(images: scene.images ?: [])
FakeQP.objects = (scene.objects ?: []).collect { new PathObject(feature: it, selected: it.selected ?: false) }
def configuration = new CompilerConfiguration()
configuration.scriptBaseClass = FakeQP.name
new GroovyShell(this.class.classLoader, new Binding(), configuration).evaluate(new File(args[0]))
new File(args[1] + ".out").text = JsonOutput.toJson(FakeQP.objects*.feature)
