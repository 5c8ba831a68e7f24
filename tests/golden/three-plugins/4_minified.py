import faulthandler,hashlib as I,io,numpy as J,os as o,signal,subprocess,sys as c,time as r,torch as e,torch.distributed as d,torch.nn.functional as u,traceback,zlib
from functools import partial as h
from pathlib import Path as a
from sentencepiece import SentencePieceProcessor
from torch import nn as K
from torch.nn.attention.flex_attention import create_block_mask,flex_attention
from typing import NamedTuple as t
def el():
 t=o.environ.get;i=int(t('RANK',0));a=int(t('WORLD_SIZE',1));r=int(t('LOCAL_RANK',0))
 if a<1 or 8%a:raise ValueError(f"WORLD_SIZE is {a}, wanted a divisor of 8, the micro-batches of a step")
 return i,a,r
def ed():
 global s,oO,f,n;i,a,r=el();t='gloo';l=e.device('cpu')
 if e.cuda.is_available():t='nccl';l=e.device('cuda',r);e.cuda.set_device(l)
 if a>1:d.init_process_group(t)
 f=i;n=a;oO=r;s=l
def ec():
 if n>1:d.destroy_process_group()
def eu(t):
 if n>1:d.all_reduce(t)
 return t
def em(value):
 t=[value]*n
 if n>1:d.all_gather_object(t,value)
 return t
def ef(value):
 if n==1:return value
 t=e.tensor(value,dtype=e.float64,device=s);d.all_reduce(t,d.ReduceOp.MAX);return t.item()
def ep(t):
 if t.grad is None:t.grad=e.zeros_like(t)
 return t.grad
def eg(h):
 a=[ep(t)for t in h]
 if n>1:
  r=e.cat([o.flatten()for o in a]);d.all_reduce(r);i=(r/n).split([o.numel()for o in a])
  for(o,f)in zip(a,i,strict=True):o.copy_(f.view_as(o))
def ew(a,i):
 if n>1:return d.reduce_scatter(a,list(i.chunk(n)),async_op=True)
 a.copy_(i)
def ey(i,a):
 if n>1:return d.all_gather(list(i.chunk(n)),a,async_op=True)
 i.copy_(a)
def eb(e):
 if e is not None:e.wait()
def ev(i,a):
 if not i.r:return a,
 o=range(i.shape[0]//len(i.r));return tuple(t.format(n)for t in i.r for n in o)
def y(r):
 d=[]
 for i in r:
  if i.r:
   o=range(i.shape[0]//len(i.r))
   for(t,l)in zip(i.r,i.init,strict=True):d+=[(t.format(n),l,i)for n in o]
  else:d+=[(a,i.init,i)for a in i.s()]
 return d
def ek(l,r,n):
 for i in r:
  h=n if i.dtype=='activation'else e.float32
  for a in i.s():
   *d,c=a.split('.');t=l
   for o in d:
    if o not in t._modules:t.add_module(o,K.ModuleList())
    t=t._modules[o]
   t.register_parameter(c,K.Parameter(e.empty(i.shape,dtype=h,device=s)))
def ex(a):f=I.sha256(f"{U}:{a}".encode()).digest();return e.Generator().manual_seed(int.from_bytes(f[:7],'little'))
def ej(r,h):
 n=b(w.state_dict(),r)
 for(a,l,g)in y(r):o=e.empty(n[a].shape);l(o,ex(a),h);n[a].copy_(o)
def b(n,r):
 h=[]
 for i in r:
  for a in i.s():h+=n[a].unbind()if i.r else[n[a]]
 return{a:t for((a,g,g),t)in zip(y(r),h,strict=True)}
def eq(tensor,generator,ledger):tensor.zero_()
def v(tensor,generator,ledger):tensor.fill_(1.)
def ez(tensor,generator,ledger,value):tensor.fill_(value)
def eA(tensor,generator,ledger,std):tensor.normal_(.0,std,generator=generator)
class eB:
 def __init__(e):e.q=None;e.H=None;r=[(w.get_parameter(a),ev(i,a),i)for i in et for a in i.s()];e.tensors=[t for(t,o,i)in r];e.names=[o for(t,o,i)in r];e.replicated=[t for(t,o,i)in r if i.reduction=='replicated'];e.u=[t for(t,o,i)in r if i.m];e.v=[o for(t,o,i)in r if i.m];l=[t for(t,o,i)in r if i.group=='matrix'];h=[o for(t,o,i)in r if i.group=='matrix'];ot(l,h);d=[(n,[t for(t,o,i)in r if i.group==n.name],[o for(t,o,i)in r if i.group==n.name])for n in oy];aU(d)
 @e.no_grad()
 def step(e,scalars,ledger):
  oa();eg(e.replicated);aV(scalars,ledger);oo(scalars,ledger)
  for t in e.tensors:t.grad=None
def eC(a):
 if e.cuda.is_available():return e.compile(a,dynamic=False,fullgraph=True)
 return a
def eD(a):
 global O
 if O is None:O=eC(ov)
 return O(a.bfloat16(),5)
def eE():return{}
def eF(a,o):a=eD(a).contiguous();return a
def eG(t,a,o,e,r):eH(t,a,.04*r.i,e)
def eH(t,a,o,e):t.add_(a,alpha=-o*e)
def eI(o,t,d):t.mul_(d).add_(o);return o.add(t,alpha=d)
def eJ(a):return max(1,a.shape[-2]/a.shape[-1])**.5
def eK():
 a=''
 try:og()
 except(OSError,ValueError)as l:a=f"{ea}: {l}"
 for(i,t)in enumerate(em(a)):
  if t:raise ValueError(f"{t} (on rank {i})"if i else t)
def eL(t):
 if t is not None:i(f"prepared {ea}: {t}")
class Param(t):
 name:t;shape:t;group:t;z:t;init:t=None;l:t='';dtype:t='float32';layers:t=0;r:t=();reduction:t='replicated';C:t='';m:t=True;F:t=True;export:t='yes';w:t=0
 def s(e):return[e.name.format(n)for n in range(e.w,e.layers)]or[e.name]
class Group(t):name:t;lr:t;weight_decay:t=.0
class Phase(t):name:t;start:t;B:t=True;l:t=''
class k:
 def __init__(e):e.done={}
 def count(e,plugin,unit,number=1):e.done[plugin,unit]=e.done.get((plugin,unit),0)+number
 def n(e,i,t):e.done[i,'']=t
 def A(e,i):return', '.join(f"{o} {t}".strip()for((a,t),o)in e.done.items()if a==i and o)
def eM(l,o,t):return(l/j(o)).round().clamp(-t,t).to(e.int8)
def j(o):return o[:,None]if o.ndim else o
def eN(d,o,n):return(d.float()*j(o).float()).to(n)
def eO(l,half):
 if l.ndim==2:o=(l.abs().amax(1)/31).clamp_min(1/31)
 else:o=l.abs().amax()/31;o=o if o>0 else o+1
 if half:o=o.half()
 return eM(l,o.float(),31),o
def eP(l):
 if l.ndim==2:t=e.quantile(l.abs(),.9999984,1);o=(t/127).clamp_min(1/127);a=o.half()
 else:t=e.quantile(l.abs().flatten(),.9999984);a=o=t/127 if t>0 else t+1
 t=j(t);return eM(l.clamp(-t,t),o,127),a
def eQ(i,n):
 if'kept'in i:return i['kept'].to(n)
 return eN(i['codes'],i['step'],n)
def q(a,e):
 t=o.environ.get(a,e)
 try:return int(t)
 except ValueError:raise ValueError(f"{a} is {t!r}, wanted a whole number like {e!r}")from None
def eR():
 t=o.environ.get('MAX_WALLCLOCK_SECONDS',6e2)
 try:return float(t)
 except ValueError:raise ValueError(f"MAX_WALLCLOCK_SECONDS is {t!r}, wanted seconds like 600.0")from None
def eS():global Q,R,p,S,oq,T,U,V,oz,oA;t=o.environ.get;Q=t('DATA_PATH','./data/datasets/fineweb10B_sp1024');R='export'in c.argv;p=q('ITERATIONS',20000);S=eR();oq=t('RUN_ID',str(r.time_ns()));T='score'in c.argv;U=q('SEED',1337);V=t('TOKENIZER_PATH','./data/tokenizers/fineweb_1024_bpe.model');oz=q('TRAIN_LOG_EVERY',200);oA=q('VAL_LOSS_EVERY',1000)
class Score(t):val_loss:t;d:t;D:t;g:t
def eT(n):
 if n.numel():raise ValueError(f"target {n[0]} of the validation stream is not scored")
def eU(n):o=en[n].to(s,e.int64);t=o[:,:-1].contiguous();return t,o[:,1:].contiguous(),eV(t)
def eV(o):return{}
def eW(a,c,n,l):
 w=n[:,1:];a[w[l]]=c;tL(f"eval: batch {c}");t,o,d=eU(n)
 with e.set_grad_enabled(False):g=oD(t,o,phases=tO(),fields=d,reduction='none',adapter=None)
 h=aQ(t,o,w.to(s));r=l.to(s);i=g.detach().double()*r,r,h*r;return g,e.stack([f.sum().double()for f in i])
def eX(a,t):
 if n>1:a=a.to(s);d.all_reduce(a,t)
 return a.cpu()
def eY(a,i,h):
 eT(1+(a[1:]==0).nonzero().flatten());e,o,t=eu(i).tolist()
 if o>len(a)-1:raise ValueError('a target of the validation stream is scored twice')
 return Score(e/o,e/.6931471805599453/t,int(o),1e3*(r.perf_counter()-h))
def eZ(scored_at):
 if f==0:d=f"logs/{oq}.scores.npz";J.savez_compressed(d,scored_at=scored_at.numpy())
class Span(t):start:t;end:t;w:t
def te(t):return[Span(o,o+1024,0)for o in range(0,(t-1)//1024*1024,1024)]
def tt(t):return t[len(t)*f//n:len(t)*(f+1)//n]
def ta(t):
 n=e.zeros(ei,1025,dtype=e.int64);l=e.zeros(ei,1024,dtype=e.bool)
 for(i,(o,a,d))in enumerate(t):n[i,:a+1-o]=e.arange(o,a+1);l[i,d:a-o]=True
 return n,l
def to(t):
 h=r.perf_counter();w.eval();t=tt(t);a=e.zeros(len(en),dtype=e.int32);i=e.zeros(3,dtype=e.float64,device=s)
 for(c,o)in enumerate(range(0,len(t),ei),1):n,l=ta(t[o:o+ei]);i+=eW(a,c,n,l)[1]
 w.train();a=eX(a,d.ReduceOp.MAX);return eY(a,i,h),a
def ti():return{a:i.z for(a,g,i)in y(et)if i.export!='drop'}
def tn(n,r,f=0):
 h=ti();o={}
 for(a,e)in h.items():t=n[a];s=r.get(a,{});i=P[e].encode(a,t,s,l);o[a]={d:c.cpu()for(d,c)in i.items()}
 return ts(o)
def ts(o):return o
def tr(o):return aL(aJ(o))
def th(data,n):
 a=2**20+sum(8*t.numel()+4096 for t in n.values())
 try:return aK(aM(data,a))
 except Exception as l:raise ValueError(f"the artifact cannot be read: {str(l).partition(chr(10))[0]}")from l
def tl(a,i,e,n):t=P[e].decode(a,i,n);return t
def td(o,n):
 h=ti()
 if o.keys()!=h.keys():raise ValueError("the artifact's tensors are not the model's")
 for(a,e)in h.items():
  try:t=tc(a,o[a],e,n[a].dtype)
  except Exception as l:raise ValueError(f"the artifact's {a} cannot be decoded: {l!r}")from l
  if t.shape!=n[a].shape:raise ValueError(f"{a}: shape {[*t.shape]}, wanted {[*n[a].shape]}")
  n[a].copy_(t)
def tc(a,i,e,n):return tl(a,i,e,n)
def tu(t):
 global W,X,oB;oB=f;W=f==0;a('logs').mkdir(exist_ok=True);X=a('logs',t+'.txt')
 if W and not R:X.write_text('')
 c.excepthook=h(tf,X);faulthandler.register(signal.SIGTERM,X.open('a'),chain=True)
def i(t):
 if W:
  print(t,flush=True)
  with X.open('a')as e:print(t,file=e)
def tm(t):
 if W:i(f"error: {t}")
 elif t not in X.read_text():
  with X.open('a')as e:print(f"rank {oB}: error: {t}",file=e)
def tf(path,kind,l,trace):
 with path.open('a')as e:traceback.print_exception(l,file=e)
 c.__excepthook__(kind,l,trace)
def tp():
 f=I.sha256(a(c.argv[0]).read_bytes()).hexdigest();t=f"hardware:{o.uname().machine} CPU, {e.get_num_threads()} threads"
 if s.type=='cuda':t=subprocess.getoutput('nvidia-smi')
 i(f"Running Python {c.version}\nRunning PyTorch {e.__version__}\ncode_sha256:{f}\n{t}")
def z():return len(a(c.argv[0]).read_bytes())
ow='final_model.pt'
def A():return P['mlp'].name
def tg():return a(f"final_model.{A()}.ptz")
def tw(o):
 n=b(w.state_dict(),et)
 if f==0:a('final_export.pt').unlink(missing_ok=True);B(h(e.save,n),'final_model.pt')
 r=tk()
 if f==0:d=r,l.done,g,eo,Z;B(h(e.save,d),'final_export.pt')
 ty(n,r)
def ty(n,r):
 t=tP();F('diagnostic','val');i(f"diagnostic pre-quantization post-ema val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f} eval_time:{t.g:.0f}ms")
 if f==0:tx(n,r)
 ef(.0);tq()
def B(n,d):
 t=a('final_model.tmp')
 try:
  n(t)
  with t.open('rb')as e:o.fsync(e.fileno())
  t.replace(d)
 finally:t.unlink(missing_ok=True)
def tb():
 global Z,eo,g;n=b(w.state_dict(),et);e=tv('final_model.pt');d=tv('final_export.pt');o=[a for a in n if a not in e or e[a].shape!=n[a].shape]
 if o:raise ValueError(f"final_model.pt is of another model: {o[0]} is missing or has another shape")
 for(a,t)in n.items():t.copy_(e[a])
 r,i,g,eo,Z=d;l.done.update(i);tK(Z);ty(n,r)
def tv(d):
 try:return e.load(d,s,weights_only=True)
 except OSError:raise
 except Exception as l:raise ValueError(f"{d} is damaged: {str(l)[:99]!r}")from l
def tk():global Y;r={};Y=False;return r
def tx(n,r):o=tn(n,r,z());F('quantize','none');s=tr(o);F('compress','none');B(h(a.write_bytes,data=s),tg());e=f"{A()}+zlib";i(f"Serialized model: {a(ow).stat().st_size} bytes\nCode size: {z()} bytes\nSerialized model {e}: {len(s)} bytes\nTotal submission size {e}: {len(s)+z()} bytes")
def tj():
 n=b(w.state_dict(),et)
 for t in n.values():t.zero_()
 s=tg().read_bytes();f=I.sha256(s).hexdigest()
 if T:
  o=''.join(d.read_text()for d in a('logs').glob('*.txt'))
  if'artifact_sha256:'in o and f not in o:raise ValueError('the artifact is not that of the logs in logs/')
 i('artifact_sha256:'+f);td(th(s,n),n)
def tq():o=A();tj();F('decode','none');t,a=to(te(len(en)));F('score','val');tz(f"{o}_zlib_roundtrip",t);eZ(a);l.count('chunked_eval','targets',t.D)
def tz(e,t):i(f"final_{e} val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f} eval_time:{t.g:.0f}ms\nfinal_{e}_exact val_loss:{t.val_loss:.8f} val_bpb:{t.d:.8f}")
def tA():
 t=[n.l for n in m if n.name not in g];o=False
 for a in ok:
  e=l.A(a)
  if e and a not in t:i(f"receipt {a}: {e}")
  else:i(f"error: plugin {a} did nothing");o=f==0
 return o
class Progress(t):step:t;k:t;p:t;f:t;G:t;i:t
class Scalars(t):i:t;E:t;momentum:t
def tB(o,a,d):e=a/d if d>0 else o/max(p,1);return Progress(o,p,a,d,e,1.)
class Context(t):
 ids:t;phases:t;training:t;o:t;memo:t;fields:t;c:t;y:t;ledger:t
 def a(e,i,t,o=1):
  if e.ledger is not None:e.ledger.count(i,t,o)
def C(t):return u.rms_norm(t,(t.size(-1),),eps=1.1920929e-07)
def tC(a):
 if'starts'in a.fields:return a.fields['starts']
 if'documents'not in a.fields:return
 t=a.fields['documents'];return u.pad(t[:,1:]!=t[:,:-1],(1,0))
def tD(r,l,h,n,i,a):
 for f in oj:l=f(r,l,h,n,i,a)
 return l
def tE(r,l,t,h,n,i,a):
 l=tD(r,l,h,n,i,a)
 if a.y is not None:a.y(h,n,t)
 return D(u.linear(t,l.to(t.dtype)),t,h,i,a)
def D(o,t,e,i,a):
 if a.c is not None and e in a.c.sites:o=o+a.c.delta(t,e,i)
 return o
def tF(t,a):
 if'rope'not in a.memo:n=t.size(1);i=t.size(3);l=t.device;r=1e4**(-e.arange(0,i,2,dtype=e.float32,device=l)/i);d=e.outer(e.arange(n,dtype=e.float32,device=l),r);a.memo['rope']=d.cos(),d.sin()
 h,s=(f[None,:,None,:].to(t.dtype)for f in a.memo['rope']);o,c=t.chunk(2,-1);return e.cat((o*h+c*s,c*h-o*s),-1)
class GPT(K.Module):
 def __init__(e,r,n):super().__init__();e.J=None;e.q=None;e.records=r;ek(e,r,n)
 def matrices(e):return b(dict(e.named_parameters()),e.records)
 def matrix(e,role,layer,position,ctx):return tD(e,ctx.o[f"blocks.{layer}.{role}.weight"],role,layer,position,ctx)
 def h(e,t,h,n,i,a):return tE(e,a.o[f"blocks.{n}.{h}.weight"],t,h,n,i,a)
 def stem(e,ids,ctx):t=u.embedding(ids,ctx.o['tok_emb.weight']);t=C(t);return t
 def x(e,o,a):t=e.stem(o,a);return C(ax(e,t,t,a))
 def logits(e,x,ctx):
  n=aF(e,x,ctx)
  for f in ob:n=f(e,n,ctx)
  return n
 def forward(e,ids,targets,phases=(),reduction='mean',adapter=None,observe=None,ledger=None,fields=None):r=fields or{};l={};fields={**l,**r};a=Context(ids,phases,e.training,e.matrices(),{},fields,adapter,observe,ledger);t=e.x(ids,a);n=e.logits(t,a);c=ao(n,targets,reduction,a);return c
def tG(t):
 t=a(t);o=sorted(d for d in t.parent.glob(t.name)if('_bytes_'in d.name)==('_bytes_'in t.name))
 if not o:raise ValueError(f"{t}: no shard matches, see DATA_PATH")
 return o
def tH(d):
 t=a(d).stat().st_size;o=J.fromfile(d,'<i4',3).tolist()
 if t<=1024 or o!=[20240520,1,(t-1024)/2]:raise ValueError(f"{d}: {t} bytes and header {o}, wanted 1024 + 2n bytes and header [20240520, 1, n > 0]")
 return o[2]
def E(d):
 o=J.memmap(d,'<u2','r',1024,tH(d))
 if o.max()>=1024:raise ValueError(f"{d}: token {o.argmax()} is {o.max()}, wanted an id below 1024")
 return o
def tI(t):
 o=J.concatenate([E(d)for d in tG(t)])
 if len(o)<=1024:raise ValueError(f"{t}: {len(o)} tokens, wanted at least 1025")
 return e.from_numpy(o[:(len(o)-1)//1024*1024+1])
def tJ():global Z,oC,ee;Z=.0;oC=ee=r.perf_counter()
def tK(a):global oC;oC=r.perf_counter()-a/1e3
def F(a,data):global Z,ee;t=1e3*(r.perf_counter()-oC);i(f"stage:{a} begin:{Z:.0f}ms end:{t:.0f}ms data:{data}");Z=t;ee=r.perf_counter()
def tL(t):
 global ee
 if r.perf_counter()>ee+10:ee=r.perf_counter();i(t)
def tM(r,h):global eo,oD,l,w,et,g,ea,ei,en,Y;et=r;l=h;g=();ea='';tJ();eo=False;Y=not(T or R);ei=max(64,1);n=e.bfloat16 if s.type=='cuda'else e.float32;e._dynamo.config.recompile_limit=16;w=GPT(r,n);ej(r,h);oD=eC(w);t=a(Q,'fineweb_val_*.bin');en=tI(t);aP(h);f=I.sha256(en.numpy().data).hexdigest();i(f"val_loader:shards pattern={t} tokens:{len(en)-1}\nval_sha256:{f}")
def G(h):t=a(Q,'fineweb_train_*.bin');aR(t,h)
def tN():
 if not Y:raise ValueError('training data are closed: training time is over')
 c=aT((524288,1024)[0]//8,(524288,1024)[1]);t,o=(f.to(s,non_blocking=True)for f in c);return t,o,{}
def tO():return tuple(n.name for n in m if n.B and n.name in g)
def tP():return to(te(len(en)))[0]
def tQ(i):
 t=[()]
 for n in i:t+=[(*r,n.name)for r in t]
 return t
def tR():
 t,o,d=tN();t,o=t[:1,:512],o[:1,:512];d={a:c[:1,:512]for(a,c)in d.items()};e=tuple(n.name for n in m);w(t,o,phases=e,fields=d,ledger=l).backward()
 for i in et:r=sum(w.get_parameter(a).grad is not None for a in i.s());l.count(i.l,'trained tensors',r)
 w.zero_grad()
def tS():
 n=w.state_dict();d={a:t.clone()for(a,t)in n.items()};s=eB();h=k();G(h)
 for r in tQ(m):
  for o in range(20):tX(s,r,Scalars(1.,1.,.9),h);i(' '.join((f"warmup_step:{o+1}/20",*r)))
 for(a,t)in n.items():t.copy_(d[a])
 e.manual_seed(U);G(l)
def tT(r):
 try:eS();ed();h=k()
 except ValueError as l:print(f"error: {l}",file=c.stderr);c.exit(2)
 t=em(oq)[0];tu(t);e.manual_seed(U);e.backends.cuda.matmul.allow_tf32=True
 if S==0:tV()
 tp();i('plugins:'+' '.join(ok));tU(r,h)
 if Y:
  tW();tR();tS();o=ae()
  try:tw(o)
  except(OSError,ValueError)as l:tm(str(l));c.exit(f"error: rank {f}: {l}")
 a=not T and(tA()or eo);ec()
 if a:c.exit(1)
def tU(r,h):
 global g
 try:
  tM(r,h);eK()
  if R:tb()
  elif T:g=tuple(n.name for n in m);tq()
  else:G(k())
  return
 except(OSError,ValueError)as l:
  tm(str(l))
  if not R:ec()
  c.exit(2)
def tV():o.environ.setdefault('CUBLAS_WORKSPACE_CONFIG',':4096:8');e.use_deterministic_algorithms(True)
def tW():i(f"model_params:{sum(t.numel()for t in w.parameters())}\nworld_size:{n} grad_accum_steps:{8//n}\nseed:{U}\ntrain_batch_tokens:524288 train_seq_len:1024 iterations:{p} warmup_steps:20 max_wallclock_seconds:{S:.3f}")
def tX(s,i,r,h):
 a=8//n;e=.0
 for g in range(a):t,o,d=tN();c=oD(t,o,phases=i,fields=d)/a;e+=c.detach();c.backward()
 s.step(r,h);return e
def tY(o,a,d):
 global g;t=tB(o,a,d);r=Scalars(1.,1.,.0)
 for h in ox:r=h(t,r,l)
 for n in m:
  if n.name not in g and n.start(t._replace(i=r.i)):g=tuple(e.name for e in m if e.name in g or e is n);l.n(n.l,f"on at step {o}");i(f"phase {n.name} on at step:{o} train_time:{a:.0f}ms")
 return r
def tZ():return 1e3*S
def ae():
 s=eB();aY(s.u,s.v);d=tZ();o=0;a=.0;on()
 while True:
  f=o==p or 0<d<=a
  if f or oA>0 and o%oA==0:
   os();t=tP();at(o,f"val_loss:{t.val_loss:.4f} val_bpb:{t.d:.4f}",a)
   if f:break
   on()
  r=tY(o,a,d);c=tX(s,g,r,l);o+=1;aZ(s.u,o,r);a=ef(oh(o))
  if oz>0 and(o<=10 or o%oz==0):
   at(o,f"train_loss:{c:.4f}",a)
   if c!=c:raise ValueError('the training loss is not a number')
 if o<p:i(f"stopping_early: wallclock_cap train_time:{a:.0f}ms step:{o}/{p}")
 n=e.cuda.max_memory_allocated()>>20;h=e.cuda.max_memory_reserved()>>20;i(f"peak memory allocated: {n} MiB reserved: {h} MiB");oe(s.u);tK(a);F('train','train');return o
def at(o,t,a):i(f"step:{o}/{p} {t} train_time:{a:.0f}ms step_avg:{a/max(o,1):.2f}ms")
def aa(t,o,e,a):a.a('additive_skips','skips');return t+a.o['skip_weights'][e].to(t.dtype)*o
def ao(t,o,reduction,a):a.a('cross_entropy','losses');c=u.cross_entropy(t.flatten(0,1).float(),o.flatten(),reduction=reduction);return c.view_as(o)if reduction=='none'else c
def ai(t,a):a.a('partial_rope','rotations');o=tF(t[...,:16],a);return e.cat((o,t[...,16:]),-1)
def an(model,t,l,h,n,i,ctx):
 if n<4:return t,l
 ctx.a('pko','layers');o=l[...,16:];d=e.cat((o[:,:1],o[:,:-1]),dim=1);c=tC(ctx)
 if c is not None:d=e.where(c[:,:,None,None],o,d)
 return t,e.cat((l[...,:16],d),dim=-1)
def ar(model,t,l,h,n,i,ctx):ctx.a('qk_gain','layers');o=ctx.o[f"blocks.{n}.attn.q_gain"].to(t.dtype);return t*o[:,None],l
def ah(r,h,n,i,a):a.a('relu2','layers');t=u.relu(r.h(h,'mlp.fc',n,i,a)).square();return r.h(t,'mlp.proj',n,i,a)
def al(tensor,generator,ledger):tensor.zero_();tensor[0]=1.
def ad(t,l,e,n,a):return aD(t,l,e,n,a)
def ac(r,h,n,i,a):
 d=r.h(h,'attn.c_q',n,i,a);s=r.h(h,'attn.c_k',n,i,a);c=r.h(h,'attn.c_v',n,i,a);d=ai(C(e.unflatten(d,2,(8,-1))),a);s=ai(C(e.unflatten(s,2,(4,-1))),a);c=e.unflatten(c,2,(4,-1))
 for f in(an,ar):d,s=f(r,d,s,h,n,i,a)
 o=ad(d,s,c,n,a);o=r.h(o.flatten(2),'attn.proj',n,i,a);return D(o,h,'attn',i,a)
def au(t,l,e,i,a):
 d=t.transpose(1,2);s=l.transpose(1,2);c=e.transpose(1,2)
 if i<0 or i>=d.size(2)-1:r=d.size(1)!=s.size(1);return u.scaled_dot_product_attention(d,s,c,is_causal=True,enable_gqa=r).transpose(1,2)
 return am(t,l,e,af(d.size(2),i,d.device,a))
def am(t,l,e,r):d=t.transpose(1,2);s=l.transpose(1,2);c=e.transpose(1,2);n=d.size(1)//s.size(1);s=s.repeat_interleave(n,1);c=c.repeat_interleave(n,1);return u.scaled_dot_product_attention(d,s,c,attn_mask=r).transpose(1,2)
def af(length,i,device,a):
 d='window',i
 if d not in a.memo:t=e.arange(length,device=device);o=t[:,None]-t[None,:];a.memo[d]=(o>=0)&(o<=i)
 r=a.memo[d];return r
def ap(t,d,n,a):o=a.o[f"blocks.{n}.resid_mix"].to(t.dtype);return o[0]*t+o[1]*d
def ag(t):a=C(t);return a
def aw(r,h,n,i,a):t=ac(r,h,n,i,a);return a.o[f"blocks.{n}.attn_scale"].to(h.dtype)*t
def ay(r,h,n,i,a):t=ah(r,h,n,i,a);t=D(t,h,'mlp',i,a);return a.o[f"blocks.{n}.mlp_scale"].to(h.dtype)*t
def ab(r,t,d,n,i,a):o=ap(t[0],d,n,a);o=o+aw(r,ag(o),n,i,a);return o+ay(r,ag(o),n,i,a),
def av(t,o,e,n,a):
 if o is None:return t
 return aa(t[0],o,e,a),*t[1:]
def ak(r,t,d,a):
 h,l=aG();a.a('unet_plan','steps over 9 layers',len(h)+len(l));o=[]
 for(i,n)in enumerate(h):t=ab(r,t,d,n,i,a);o.append(t[0])
 for(e,n)in enumerate(l):t=av(t,o.pop()if o else None,e,n,a);t=ab(r,t,d,n,len(h)+e,a)
 return t
def ax(r,t,o,a):a.a('sequential_wiring','walks');return ak(r,(t,),o,a)[0]
def aj():
 if s.type!='cuda':return'scaled_dot_product_attention',None
 try:from flash_attn_interface import flash_attn_func as t;return'flash-attn 3',t
 except ImportError:
  try:from flash_attn import flash_attn_func as t;return'flash-attn 2',t
  except ImportError:return aA(),None
def aq(a,t,l,e,i):o=a(t,l,e,causal=True,window_size=(i,0));return o[0]if isinstance(o,tuple)else o
def az(o,t,l,e,i,a):
 if o is not None:return aq(o,t,l,e,i)
 return au(t,l,e,i,a)
def aA():t=e.are_deterministic_algorithms_enabled();e.backends.cuda.enable_cudnn_sdp(not t);e.backends.cuda.enable_flash_sdp(t);e.backends.cuda.enable_math_sdp(False);return'FlashAttention of PyTorch'if t else'cuDNN'
def aB():
 def t(c,head,query,key):return(query>=key)&(query-key<=256)
 return t
def aC():
 global L;a,L=aj()
 if s.type!='cuda'or L is not None:return a
 for n in(1024,1024):t=aB();M[n]=create_block_mask(t,None,None,n,n,device=s)
 return f"flex_attention (windows), {a} (full)"
def aD(d,s,c,n,a):
 t=n<4;a.a('swa','windowed layers'if t else'full layers');i=256 if t else-1
 if t and a.ledger is None and d.size(1)in M:r=d.size(2)!=s.size(2);e=d.transpose(1,2),s.transpose(1,2),c.transpose(1,2);o=flex_attention(*e,block_mask=M[d.size(1)],enable_gqa=r);return o.transpose(1,2)
 return az(L,d,s,c,i,a)
def aE(model,t,ctx,cap):ctx.a('tanh_softcap','caps');return cap*e.tanh(t/cap)
def aF(r,t,a):a.a('tied_head','heads');return tE(r,a.o['tok_emb.weight'],t,'head',0,0,a)
def aG():o=tuple(range(9));return o[:len(o)//2],o[len(o)//2:]
def H(tensor,generator,ledger):a=tensor.shape[-1]**-.5;tensor.uniform_(-a,a,generator=generator);ledger.count('uniform_init','matrices')
def aH(o):t=io.BytesIO();n={c.intern(a):{c.intern(d):f for(d,f)in i.items()}for(a,i)in o.items()};e.save(n,t);return t.getvalue()
def aI(data):return e.load(io.BytesIO(data),map_location='cpu',weights_only=True)
def aJ(o):s=aH(o);l.n('torch_save',f"{len(o)} tensors in {len(s)} bytes");return s
def aK(data):return aI(data)
def aL(data):r=zlib.compress(data,9);l.n('zlib',f"{len(data)} -> {len(r)} bytes");return r
def aM(data,a):
 l=zlib.decompressobj();t=l.decompress(data,a)
 if not l.eof or l.unused_data:raise ValueError(f"wanted one whole stream of at most {a} bytes")
 return t
def aN():
 try:t=SentencePieceProcessor(V)
 except(OSError,RuntimeError)as l:raise OSError(f"{V}: not a SentencePiece model")from l
 if len(t)>1024:raise ValueError(f"{V} has {len(t)} pieces, wanted at most vocab_size=1024")
 if t.piece_to_id('\u2581')==t.unk_id():raise ValueError(f"{V}: U+2581 is not a piece of its own")
 return t
def aO(t):
 c=[(0,0,1)]*1024
 for a in range(len(t)):
  if not(t.is_control(a)or t.is_unknown(a)or t.is_unused(a)):o=t.id_to_piece(a);n=o.startswith('\u2581');c[a]=1 if t.is_byte(a)else len(o.encode())-3*n,n,0
 return e.tensor(c).T
def aP(h):
 global oN,oM,oE,oL
 if any(a(Q).glob('*_bytes_*')):raise ValueError(f"{Q}: it has byte side files, build with the plugin that reads them")
 t=aO(aN());oL,oM,oN=t.to(s);oE=h
def aQ(a,t,o):oE.count('sentencepiece_bytes','targets',t.numel());h=oL[t]+(oM[t]&~oN[a]);return h
def aR(t,h):
 global es,oH,oF,er,oG;es=tG(t)
 for d in es:tH(d)
 oF=f;oG=n;oH=h;er=E(es[0])
def aS(t):
 global er;i=[]
 while t>0:
  if not len(er):es.append(es.pop(0));er=E(es[0])
  i.append(er[:t]);er=er[t:];t-=len(i[-1])
 return J.concatenate(i)
def aT(o,t):a=aS(oG*(o+1)).reshape(oG,-1)[oF];a=e.from_numpy(a.astype(int));oH.count('sequential_loader','batches');return a[:-1].reshape(-1,t),a[1:].reshape(-1,t)
def aU(d):global oI;r=[{'params':h,'spec':n}for(n,h,o)in d];oI=e.optim.AdamW(r,betas=(.9,.95),eps=1e-08,fused=True)
def aV(r,h):
 for n in oI.param_groups:n['lr']=n['spec'].lr*r.i;n['weight_decay']=n['spec'].weight_decay*r.E
 oI.step();h.count('adam','steps')
def aW(t,r,ledger,start,final,steps):a=min(t.step/steps,1.)if steps>0 else 1.;d=(1-a)*start+a*final;ledger.n('momentum_warmup',f"momentum {d:.4f} at step {t.step}");return r._replace(momentum=d)
def aX(t,steps,scale_first):
 o=t.shape[-2]>t.shape[-1]
 if o:t=t.mT
 t=t/(t.norm(dim=(-2,-1),keepdim=True)+1e-07)
 for g in range(steps):a=t@t.mT;e=2.0315*a@a if scale_first else 2.0315*(a@a);t=3.4445*t+(-4.775*a+e)@t
 return t.mT if o else t
def aY(h,o):0
def aZ(h,n,r):0
def oe(h):l.n('no_average','last weights')
class MuonBank(t):weight:t;names:t;j:t;full:t;b:t;momentum:t;et:t
def ot(h,o):
 global eh,oP;oP=eE();eh=[];p=e.bfloat16 if s.type=='cuda'else e.float32
 for(l,w)in sorted(zip(h,o,strict=True),key=lambda en:-en[0].numel()):*g,c,X=l.shape;u=-(-len(w)//n);r=(*w,*['']*u*n)[u*f:][:u];F=[(t,c,X)for t in(u*n,u)];i,a=[e.zeros(m,dtype=p,device=s)for m in F];et,d=[e.zeros(m,dtype=e.bfloat16,device=s)for m in F];eh.append(MuonBank(l,w,r,i,a,d,et))
def oa():
 global oJ;oJ=[]
 for t in eh:o=ep(t.weight).bfloat16();t.full.flatten()[:o.numel()].copy_(o.flatten());oJ.append(ew(t.b,t.full))
def oo(r,h):
 i=[]
 for(t,e)in zip(eh,oJ,strict=True):
  eb(e);l=n;o=(t.b/l).bfloat16();a=eI(o,t.momentum,r.momentum);a=eF(a,t.j);i.append((t,ey(t.et,a),a))
  if len(i)>1:oi(*i.pop(0),r,h)
 for d in i:oi(*d,r,h)
def oi(t,e,a,r,h):eb(e);l=t.weight;o=t.et.flatten()[:l.numel()].view_as(l);eG(l,o,t.names,eJ(l),r);h.count('parallel_muon','bank updates');h.count('newton_schulz','matrices',t.et.size(0))
def on():global oK;oK=r.perf_counter()-N
def os():
 global N
 if e.cuda.is_available():e.cuda.synchronize()
 N=r.perf_counter()-oK;l.n('wall_clock',f"{N:.3f} seconds")
def oh(o):return 1e3*(r.perf_counter()-oK)
def ol(t,length):
 if length<=0:return 1.
 if t.f>0:a=length*(t.p/max(t.step,1));return min(max(t.f-t.p,.0)/max(a,1e-09),1.)
 o=t.k-t.step;return o/length if 0<o<=length else 1.
def od(t,r,ledger,length):a=ol(t,length);ledger.n('warmdown_iters',f"multiplier {a:.4f} at step {t.step}");return r._replace(i=r.i*a)
def oc(model,weight,h,n,i,ctx,half):
 if not h.startswith(('attn.','mlp.'))or not ctx.training or'bank_qat'not in ctx.phases:return weight
 ctx.a('bank_qat','matrices');d,o=eO(weight.detach().float(),half);return weight+(eN(d,o,weight.dtype)-weight).detach()
def ou(t,threshold):return t.i<threshold
class om:
 name='int6'
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int6','tensors kept');return{'kept':tensor.half()}
  ledger.count('int6','tensors quantized');d,o=e.grid(tensor.float());return{'codes':d,'step':o}
 def grid(e,weight):return eO(weight,True)
 def decode(e,name,parts,kind):return eQ(parts,kind)
class of:
 name='int8'
 def __init__(e,half):e.half=half
 def encode(e,name,tensor,statistics,ledger):
  if tensor.numel()<=65536:ledger.count('int8','tensors kept');return{'kept':tensor.half()if e.half else tensor.float()}
  ledger.count('int8','tensors quantized');d,o=eP(tensor.float());return{'codes':d,'step':o}
 def decode(e,name,parts,kind):return eQ(parts,kind)
def op():return Param('qo_bank',(18,512,512),'matrix','attn',(H,eq),'banks',r=('blocks.{}.attn.c_q.weight','blocks.{}.attn.proj.weight'),reduction='sharded'),Param('kv_bank',(18,256,512),'matrix','attn',(H,H),'banks',r=('blocks.{}.attn.c_k.weight','blocks.{}.attn.c_v.weight'),reduction='sharded'),Param('mlp_up_bank',(9,1024,512),'matrix','mlp',(H,),'banks',r=('blocks.{}.mlp.fc.weight',),reduction='sharded'),Param('mlp_down_bank',(9,512,1024),'matrix','mlp',(eq,),'banks',r=('blocks.{}.mlp.proj.weight',),reduction='sharded'),Param('skip_weights',(4,512),'scalar','control',v,'additive_skips'),Param('blocks.{}.attn.q_gain',(8,),'scalar','control',h(ez,value=1.5),'qk_gain',layers=9),Param('blocks.{}.attn_scale',(512,),'scalar','control',v,'residual_scales',layers=9),Param('blocks.{}.mlp_scale',(512,),'scalar','control',v,'residual_scales',layers=9),Param('blocks.{}.resid_mix',(2,512),'scalar','control',al,'residual_scales',layers=9),Param('tok_emb.weight',(1024,512),'embed','embed',h(eA,std=.005),'tied_head','activation',C='head')
def og():global ea;ea='swa';eL(aC())
L=None
M={}
N=.0
oy=Group('embed',.05),Group('scalar',.04)
ob=h(aE,cap=3e1),
ov=h(aX,scale_first=False)
O=None
m=Phase('bank_qat',h(ou,threshold=.15),False,'bank_qat'),
ok='adam','additive_skips','bank_qat','banks','chunked_eval','cross_entropy','int6','int8','momentum_warmup','newton_schulz','no_average','parallel_muon','partial_rope','pko','qk_gain','relu2','residual_scales','sentencepiece_bytes','sequential_loader','sequential_wiring','swa','tanh_softcap','tied_head','torch_save','unet_plan','uniform_init','wall_clock','warmdown_iters','zlib'
ox=h(aW,final=.95,start=.85,steps=500),h(od,length=1200)
P={'attn':om(),'control':of(False),'embed':of(True),'mlp':om()}
oj=h(oc,half=True),
if __name__=='__main__':tT(op())